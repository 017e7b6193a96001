import type { EntryRevision, SealedContent } from '../../core/entry/entry.js'
import type { Version } from '../../core/history/version.js'
import type { EntryRecord } from '../../store/contract/source-records.js'
import type { Conflict } from '../contract/source-settings.js'

/** A definition whose content is another than the source gave before. */
export interface NewDefinition {
  readonly content: SealedContent
  readonly modifiedAt: Date | null
}

/** An entry as it is recorded and as it stands. */
export interface CurrentEntry {
  readonly record: EntryRecord | undefined
  readonly current: EntryRevision | undefined
  /** That wrote `current`; it is looked at only where the record does not say that it is ours. */
  readonly version: Version | undefined
  /** Who owns it, where it is another source. */
  readonly owner: string | undefined
}

export type Decision =
  | { readonly type: 'create' }
  | { readonly type: 'update' }
  /** Nothing is written; the revision that is recorded as ours, or null. */
  | { readonly type: 'note'; readonly revision: number | null }
  | { readonly type: 'fail'; readonly message: string }

/** What is to be done about a definition that is new. `author` is in whose name the source writes. */
export function decideEntry(
  definition: NewDefinition,
  standing: CurrentEntry,
  conflict: Conflict,
  author: string,
): Decision {
  const { record, current } = standing
  if (current === undefined) return { type: 'create' }
  const isOwned = (record?.revision ?? null) !== null || isUnrecorded(standing, author)
  if (current.content.digest === definition.content.digest) {
    return { type: 'note', revision: isOwned || conflict === 'source' ? current.revision : null }
  }
  return isUnchangedByOthers(standing, author) ? { type: 'update' } : SETTLE[conflict](definition, standing)
}

/** Whether nobody else has given the entry what it holds: then it is the source's to change. */
export function isUnchangedByOthers(standing: CurrentEntry, author: string): boolean {
  const { record, current } = standing
  if (current === undefined) return false
  const isRecorded =
    (record?.revision ?? null) !== null &&
    (record!.revision === current.revision || record!.digest === current.content.digest)
  return isRecorded || isUnrecorded(standing, author)
}

/** This source wrote it, but the gateway ended before that was recorded. A rollback's revision is not its version's. */
function isUnrecorded({ record, current, version }: CurrentEntry, author: string): boolean {
  return (
    current !== undefined &&
    version?.author === author &&
    version.revision === current.revision &&
    current.revision > (record?.revision ?? 0)
  )
}

type Settle = (definition: NewDefinition, standing: CurrentEntry) => Decision

/** What a source owned and somebody else has changed stays its own, as it was recorded. */
const leave: Settle = (_definition, { record }) => ({ type: 'note', revision: record?.revision ?? null })

const SETTLE: Readonly<Record<Conflict, Settle>> = {
  source: () => ({ type: 'update' }),
  registry: leave,
  newer(definition, standing) {
    const { modifiedAt } = definition
    const isNewer = modifiedAt !== null && standing.version !== undefined && modifiedAt > standing.version.createdAt
    return isNewer ? { type: 'update' } : leave(definition, standing)
  },
  fail: (_definition, { record, current, owner, version }) => ({
    type: 'fail',
    message:
      `is not taken over: the entry ${whose(record, owner)}, revision ${current!.revision}${by(version)}; ` +
      'make both the same, delete the entry, or configure another `conflict`',
  }),
}

function whose(record: EntryRecord | undefined, owner: string | undefined): string {
  if (owner !== undefined) return `belongs to the source ${owner}`
  return (record?.revision ?? null) === null
    ? 'was not written by a source'
    : 'has been changed since this source wrote it'
}

function by(version: Version | undefined): string {
  return version?.author ? ` by ${version.author}` : ''
}
