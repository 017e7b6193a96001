import { createHash } from 'node:crypto'
import { type Criteria, EVERYTHING } from '../../core/criteria/criteria.js'
import { criteriaKey } from '../../core/criteria/criteria-key.js'
import { type EntryId, InvalidEntryId, parseStoredEntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { LogPosition } from '../../store/contract/history-reader.js'
import { endOfRevision } from './log-position.js'

/** Position of a follower: within the entries of one revision, or in the log. */
export type FollowCursor =
  /** `after` is the last entry that was sent; null before the first. `filter` identifies the entries that are sent. */
  | { readonly phase: 'initial'; readonly revision: number; readonly filter: string; readonly after: EntryId | null }
  | { readonly phase: 'log'; readonly position: LogPosition }

/*
 * Opaque to clients. The text is the base64url of `1 i <registry> <revision> <filter> <entry id>` or
 * `1 l <registry> <revision> <position, or e for the end of the revision>`.
 */
const FORMAT = '1'
/** @bound Characters of a cursor of `changes`. */
const LONGEST_CURSOR = 2_048

/** The cursor from which a stream continues with what happened since a revision. */
export function cursorAfter(registryId: string, revision: number): string {
  return writeCursor(registryId, { phase: 'log', position: endOfRevision(revision) })
}

/** Writes a cursor as an opaque text. */
export function writeCursor(registryId: string, cursor: FollowCursor): string {
  const fields =
    cursor.phase === 'initial'
      ? [FORMAT, 'i', registryId, cursor.revision, cursor.filter, cursor.after ?? '']
      : [
          FORMAT,
          'l',
          registryId,
          cursor.position.revision,
          cursor.position.position === Infinity ? 'e' : cursor.position.position,
        ]
  return Buffer.from(fields.join(' '), 'utf8').toString('base64url')
}

/**
 * Reads a cursor that `writeCursor` wrote.
 * @throws RegistryError INVALID_CURSOR if it is not a cursor, or one of another registry
 */
export function readCursor(registryId: string, text: string): FollowCursor {
  const fields = text.length > LONGEST_CURSOR ? null : fieldsOf(text)
  if (fields === null)
    throw invalidFollowCursor(
      'this gateway did not issue it. Pass the `cursor` of a batch unchanged, or none to start again.',
    )
  const { phase, registry, revision, last } = fields
  if (registry !== registryId) throw invalidFollowCursor('it belongs to another registry. Start again without it.')
  if (phase === 'i') {
    const [filter, id] = splitOnce(last)
    return { phase: 'initial', revision, filter, after: id === '' ? null : entryIdOrThrow(id) }
  }
  return { phase: 'log', position: { revision, position: last === 'e' ? Infinity : numberOrThrow(last) } }
}

function fieldsOf(text: string) {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null
  const match = /^1 ([il]) (\S+) (\d{1,16}) (.*)$/su.exec(Buffer.from(text, 'base64url').toString('utf8'))
  if (match === null) return null
  const revision = Number(match[3])
  if (!Number.isSafeInteger(revision)) return null
  return { phase: match[1] as 'i' | 'l', registry: match[2]!, revision, last: match[4]! }
}

function splitOnce(text: string): readonly [string, string] {
  const space = text.indexOf(' ')
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)]
}

/**
 * Identifies a filter within a cursor: equal for criteria that `criteriaKey` finds equal. Criteria that match everything
 * have the same pages as no criteria.
 */
export function filterOf(criteria: Criteria | null): string {
  const key = criteriaKey(criteria ?? EVERYTHING)
  return key === EVERYTHING_KEY ? 'all' : createHash('sha256').update(key).digest('base64url').slice(0, 16)
}

const EVERYTHING_KEY = criteriaKey(EVERYTHING)

function entryIdOrThrow(last: string): EntryId {
  try {
    return parseStoredEntryId(last)
  } catch (error) {
    if (error instanceof InvalidEntryId) throw invalidFollowCursor('its entry id cannot be read.')
    throw error
  }
}

function numberOrThrow(last: string): number {
  const position = /^\d{1,16}$/.test(last) ? Number(last) : NaN
  if (!Number.isSafeInteger(position)) throw invalidFollowCursor('its position in the log cannot be read.')
  return position
}

/** Returns an INVALID_CURSOR error with the reason why the cursor cannot be followed. */
export function invalidFollowCursor(why: string): RegistryError {
  return new RegistryError('INVALID_CURSOR', `This cursor cannot be followed: ${why}`)
}
