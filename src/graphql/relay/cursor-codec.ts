import { InvalidEntryId, parseStoredEntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { EntryOrder, EntryPosition, LogPosition } from '../../store/contract/history-reader.js'

/** Encodes and decodes the cursors of one list. A cursor of another list, order or registry is refused. */
export interface CursorCodec<Position> {
  encode(position: Position): string
  /** @throws RegistryError INVALID_CURSOR */
  decode(cursor: string): Position
}

/** Cursors of a list whose positions are numbers, such as versions or revisions. */
export function numberCursors(registryId: string, list: string): CursorCodec<number> {
  return {
    encode: (position) => encodeParts([list, shortened(registryId), position]),
    decode(cursor) {
      const [position, ...rest] = decodeParts(cursor, registryId, list)
      if (!isNaturalNumber(position) || rest.length > 0) throw invalidCursor()
      return position
    },
  }
}

/** Cursors of a list whose positions are names. */
export function nameCursors(registryId: string, list: string, isName: (text: string) => boolean): CursorCodec<string> {
  return {
    encode: (position) => encodeParts([list, shortened(registryId), position]),
    decode(cursor) {
      const [position, ...rest] = decodeParts(cursor, registryId, list)
      if (typeof position !== 'string' || !isName(position) || rest.length > 0) throw invalidCursor()
      return position
    },
  }
}

/** Cursors of a list whose positions are two texts, such as an entry and a path in it. */
export function textPairCursors(registryId: string, list: string): CursorCodec<readonly [string, string]> {
  return {
    encode: (position) => encodeParts([list, shortened(registryId), ...position]),
    decode(cursor) {
      const [first, second, ...rest] = decodeParts(cursor, registryId, list)
      if (typeof first !== 'string' || typeof second !== 'string' || rest.length > 0) throw invalidCursor()
      return [first, second]
    },
  }
}

/** Cursors of a list whose positions are those of changes in the log. */
export function logCursors(registryId: string, list: string): CursorCodec<LogPosition> {
  return {
    encode: ({ revision, position }) => encodeParts([list, shortened(registryId), revision, position]),
    decode(cursor) {
      const [revision, position, ...rest] = decodeParts(cursor, registryId, list)
      if (!isNaturalNumber(revision) || !isNaturalNumber(position) || position >= 2 ** 31 || rest.length > 0)
        throw invalidCursor()
      return { revision, position }
    },
  }
}

/** A position in a list of entries, and the revision of the page that contained it. */
export interface EntryCursor extends EntryPosition {
  readonly readAt: number
}

/** Cursors of a list of entries in one order. */
export function entryCursors(registryId: string, list: string, order: EntryOrder): CursorCodec<EntryCursor> {
  const name = `${list} ${order}`
  return {
    encode: ({ id, revision, readAt }) => encodeParts([name, shortened(registryId), id, revision, readAt]),
    decode(cursor) {
      const [id, revision, readAt, ...rest] = decodeParts(cursor, registryId, name)
      if (typeof id !== 'string' || !isNaturalNumber(revision) || !isNaturalNumber(readAt) || rest.length > 0)
        throw invalidCursor()
      // No page contains an entry that is newer than the page.
      if (revision > readAt) throw invalidCursor()
      try {
        return { id: parseStoredEntryId(id), revision, readAt }
      } catch (error) {
        if (error instanceof InvalidEntryId) throw invalidCursor()
        throw error
      }
    },
  }
}

export function invalidCursor(reason = 'it does not belong to this list'): RegistryError {
  return new RegistryError(
    'INVALID_CURSOR',
    `The cursor cannot be used here: ${reason}. Pass a cursor from the same list, order and registry.`,
  )
}

/** Cursors are opaque, so that their format can change. */
function encodeParts(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

function decodeParts(cursor: string, registryId: string, list: string): unknown[] {
  const [name, registry, ...position] = parsed(cursor)
  if (name !== list) throw invalidCursor()
  if (registry !== shortened(registryId)) throw invalidCursor('it belongs to another registry')
  return position
}

function parsed(cursor: string): unknown[] {
  const bytes = Buffer.from(cursor, 'base64url')
  // Buffer skips invalid characters. Only text that it would have written itself is one of our cursors.
  if (bytes.toString('base64url') !== cursor) throw invalidCursor()
  try {
    const parts: unknown = JSON.parse(bytes.toString('utf8'))
    if (Array.isArray(parts)) return parts
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw invalidCursor()
}

/** Eight hexadecimal digits tell registries apart: an accidental collision has odds of 2^-32. */
function shortened(registryId: string): string {
  return registryId.slice(0, 8)
}

function isNaturalNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
