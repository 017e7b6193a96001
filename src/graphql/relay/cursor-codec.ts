import { InvalidEntryId, parseEntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { EntryOrder, EntryPosition, LogPosition } from '../../store/contract/history-reader.js'

/** Writes and reads the cursors of one list: a cursor of another list, order or registry is refused. */
export interface CursorCodec<Position> {
  encode(position: Position): string
  /** @throws RegistryError INVALID_CURSOR */
  decode(cursor: string): Position
}

/** Cursors of a list whose places are numbers: versions, revisions, positions. */
export function numberCursors(registryId: string, list: string): CursorCodec<number> {
  return {
    encode: (position) => seal([list, shortened(registryId), position]),
    decode(cursor) {
      const [position, ...rest] = open(cursor, registryId, list)
      if (!isCount(position) || rest.length > 0) throw invalidCursor()
      return position
    },
  }
}

/** Cursors of a list whose places are names. */
export function nameCursors(registryId: string, list: string, isName: (text: string) => boolean): CursorCodec<string> {
  return {
    encode: (position) => seal([list, shortened(registryId), position]),
    decode(cursor) {
      const [position, ...rest] = open(cursor, registryId, list)
      if (typeof position !== 'string' || !isName(position) || rest.length > 0) throw invalidCursor()
      return position
    },
  }
}

/** Cursors of a list whose places are those of changes in the log. */
export function logCursors(registryId: string, list: string): CursorCodec<LogPosition> {
  return {
    encode: ({ revision, position }) => seal([list, shortened(registryId), revision, position]),
    decode(cursor) {
      const [revision, position, ...rest] = open(cursor, registryId, list)
      if (!isCount(revision) || !isCount(position) || position >= 2 ** 31 || rest.length > 0) throw invalidCursor()
      return { revision, position }
    },
  }
}

/** Cursors of a list of entries in one order. */
export function entryCursors(registryId: string, list: string, order: EntryOrder): CursorCodec<EntryPosition> {
  const name = `${list} ${order}`
  return {
    encode: ({ id, revision }) => seal([name, shortened(registryId), id, revision]),
    decode(cursor) {
      const [id, revision, ...rest] = open(cursor, registryId, name)
      if (typeof id !== 'string' || !isCount(revision) || rest.length > 0) throw invalidCursor()
      try {
        return { id: parseEntryId(id), revision }
      } catch (error) {
        if (error instanceof InvalidEntryId) throw invalidCursor()
        throw error
      }
    },
  }
}

export function invalidCursor(why = 'it was not given out for this list'): RegistryError {
  const remedy = 'pass one from the same list, order and registry'
  return new RegistryError('INVALID_CURSOR', `the cursor cannot be used here: ${why}; ${remedy}`)
}

/** Opaque on purpose: what stands in a cursor is ours to change. */
function seal(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

function open(cursor: string, registryId: string, list: string): unknown[] {
  const [name, registry, ...position] = parsed(cursor)
  if (name !== list) throw invalidCursor()
  if (registry !== shortened(registryId)) throw invalidCursor('another registry gave it out')
  return position
}

function parsed(cursor: string): unknown[] {
  const bytes = Buffer.from(cursor, 'base64url')
  // Buffer skips what is not base64url: only what it would have written itself is ours.
  if (bytes.toString('base64url') !== cursor) throw invalidCursor()
  try {
    const parts: unknown = JSON.parse(bytes.toString('utf8'))
    if (Array.isArray(parts)) return parts
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw invalidCursor()
}

/** Enough to tell registries apart by accident's odds of 2^-32, and short. */
function shortened(registryId: string): string {
  return registryId.slice(0, 8)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
