import type { Json } from '../../core/entry/json.js'

/** A position in a file, from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Something in a file that cannot be read, and its position. */
export interface Fault extends Position {
  readonly message: string
  /** Where in a document that is valid JSON it stands: `3.data.port`. Undefined if the text is not JSON. */
  readonly path?: string
}

/** One document of a file as a JSON value, with the positions of its upper levels. */
export interface SourceDocument {
  readonly value: Json
  /** The position of the value at a path, known for the document and two levels below it. */
  positionOf(path: SourcePath): Position
}

export type SourcePath = readonly (string | number)[]

/** The parsed text of a file. A part with a fault is omitted. */
export interface ParsedText {
  readonly documents: readonly SourceDocument[]
  readonly faults: readonly Fault[]
}

/** Entries are at most two levels down (`entries[3]`). Positions below that would only cost memory. */
export const POSITION_DEPTH = 2

/**
 * @bound Nesting of a document of a source. Reading recurses. An entry's content may nest 1,000 deep at a gateway; a
 * document holds it a few levels down.
 */
export const MAX_DEPTH = 1_010

/** Sets a key as an own property, even `__proto__`, as JSON.parse does. */
export function setOwn(target: Record<string, Json>, key: string, value: Json): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
}

/** The map key of a path. */
export function pathKey(path: SourcePath): string {
  return JSON.stringify(path)
}

/** A document with positions by path. An unknown path has the position of its parent. */
export function sourceDocument(value: Json, positions: ReadonlyMap<string, Position>): SourceDocument {
  const positionOf = (path: SourcePath): Position =>
    positions.get(pathKey(path)) ?? (path.length === 0 ? { line: 1, column: 1 } : positionOf(path.slice(0, -1)))
  return { value, positionOf }
}

/** An entry as written in a document, not yet checked. */
export interface Definition {
  readonly id: unknown
  readonly kind: unknown
  readonly meta: unknown
  readonly data: unknown
  readonly position: Position
}

/** The result of reading a document in one form. */
export interface FormReading {
  readonly definitions: readonly Definition[]
  readonly faults: readonly Fault[]
  /** The namespace that the document declares, even if it defines no entry in it. */
  readonly namespace?: string
}
