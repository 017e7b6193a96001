import type { Json } from '../../core/entry/json.js'

/** A place in a file, both counted from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Something in a file that cannot be read as it stands. */
export interface Fault extends Position {
  readonly message: string
}

/** One document of a file as a JSON value, and where its upper parts begin. */
export interface SourceDocument {
  readonly value: Json
  /** Where the value at this path begins; known for the document and two levels below it. */
  positionOf(path: SourcePath): Position
}

export type SourcePath = readonly (string | number)[]

/** What a file's text holds. With a fault nothing of the part that has it is given. */
export interface ParsedText {
  readonly documents: readonly SourceDocument[]
  readonly faults: readonly Fault[]
}

/** Entries stand at most two levels down (`entries[3]`): positions below that would only cost memory. */
export const POSITION_DEPTH = 2

/** Reading recurses. An entry's content may nest 1,000 deep at a gateway; a document holds it a few levels down. */
export const MAX_DEPTH = 1_010

/** Set so that a key such as `__proto__` becomes a property of its own, as JSON.parse does it. */
export function setOwn(target: Record<string, Json>, key: string, value: Json): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
}

/** The key under which a path's position is kept. */
export function pathKey(path: SourcePath): string {
  return JSON.stringify(path)
}

/** A document whose positions were gathered by path; an unknown path stands where its parent does. */
export function sourceDocument(value: Json, positions: ReadonlyMap<string, Position>): SourceDocument {
  const positionOf = (path: SourcePath): Position =>
    positions.get(pathKey(path)) ?? (path.length === 0 ? { line: 1, column: 1 } : positionOf(path.slice(0, -1)))
  return { value, positionOf }
}

/**
 * What is wrong with a number as it was written: undefined where a double gives back what stands there.
 * An identifier of 19 digits that came out altered would be noticed by nobody.
 */
export function numberFault(written: string): string | undefined {
  const value = Number(written)
  if (Number.isNaN(value)) return `${written} is not a JSON number`
  if (!Number.isFinite(value)) return `${shortened(written)} is beyond what a JSON number can hold`
  if (!/^[-+]?\d+$/.test(written) || Number.isSafeInteger(value)) return undefined
  const exact = BigInt(written.replace('+', ''))
  if (exact === BigInt(value) || exact === BigInt(shortest(value))) return undefined
  return `${shortened(written)} would be altered to ${shortest(value)}: write it as text`
}

/** The digits that `JSON.stringify` gives a double, without an exponent: what an export holds. */
function shortest(value: number): string {
  const [digits, exponent] = String(value).split('e+')
  if (exponent === undefined) return digits!
  const [whole, fraction = ''] = digits!.split('.')
  return whole + fraction.padEnd(Number(exponent), '0')
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}…` : text
}

/** An entry as it stands in a document: nothing of it is checked yet. */
export interface Definition {
  readonly id: unknown
  readonly kind: unknown
  readonly meta: unknown
  readonly data: unknown
  readonly position: Position
}

/** What one form made of a document. */
export interface FormReading {
  readonly definitions: readonly Definition[]
  readonly faults: readonly Fault[]
  /** The namespace that the document is about, whether or not it defines anything in it. */
  readonly namespace?: string
}
