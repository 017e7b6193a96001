import { type EntryId, InvalidEntryId, parseEntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { LogPosition } from '../../store/contract/history-reader.js'

/** Where a follower stands: within the entries as one revision had them, or in the log. */
export type FollowCursor =
  /** `after` is the last entry that was sent; null before the first. */
  | { readonly phase: 'initial'; readonly revision: number; readonly after: EntryId | null }
  | { readonly phase: 'log'; readonly position: LogPosition }

/*
 * Opaque to clients, readable to us: base64url of `1 i <registry> <revision> <entry id>` or
 * `1 l <registry> <revision> <position, or e for the end of the revision>`.
 */
const FORMAT = '1'
const LONGEST_CURSOR = 2_048

export function writeCursor(registryId: string, cursor: FollowCursor): string {
  const fields =
    cursor.phase === 'initial'
      ? [FORMAT, 'i', registryId, cursor.revision, cursor.after ?? '']
      : [
          FORMAT,
          'l',
          registryId,
          cursor.position.revision,
          cursor.position.position === Infinity ? 'e' : cursor.position.position,
        ]
  return Buffer.from(fields.join(' '), 'utf8').toString('base64url')
}

/** @throws RegistryError INVALID_CURSOR where it is no cursor, or one of another registry */
export function readCursor(registryId: string, text: string): FollowCursor {
  const fields = text.length > LONGEST_CURSOR ? null : fieldsOf(text)
  if (fields === null)
    throw invalidFollowCursor("it is none of ours; pass a batch's `cursor` as it was sent, or nothing to begin anew")
  const { phase, registry, revision, place } = fields
  if (registry !== registryId) throw invalidFollowCursor('it is of another registry; begin anew without it')
  if (phase === 'i') return { phase: 'initial', revision, after: place === '' ? null : entryIdOrThrow(place) }
  return { phase: 'log', position: { revision, position: place === 'e' ? Infinity : numberOrThrow(place) } }
}

function fieldsOf(text: string) {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null
  const match = /^1 ([il]) (\S+) (\d{1,16}) (.*)$/su.exec(Buffer.from(text, 'base64url').toString('utf8'))
  if (match === null) return null
  const revision = Number(match[3])
  if (!Number.isSafeInteger(revision)) return null
  return { phase: match[1] as 'i' | 'l', registry: match[2]!, revision, place: match[4]! }
}

function entryIdOrThrow(place: string): EntryId {
  try {
    return parseEntryId(place)
  } catch (error) {
    if (error instanceof InvalidEntryId) throw invalidFollowCursor('its place among the entries cannot be read')
    throw error
  }
}

function numberOrThrow(place: string): number {
  const position = /^\d{1,16}$/.test(place) ? Number(place) : NaN
  if (!Number.isSafeInteger(position)) throw invalidFollowCursor('its place in the log cannot be read')
  return position
}

export function invalidFollowCursor(why: string): RegistryError {
  return new RegistryError('INVALID_CURSOR', `this cursor cannot be followed: ${why}`)
}
