import type { EntryRevision, SealedContent } from '../../core/entry/entry.js'
import type { Version } from '../../core/history/version.js'
import type { EntryRecord } from '../../store/contract/source-records.js'
import type { Conflict } from '../contract/source-settings.js'

/** A definition whose content differs from the previous content from the source. */
export interface NewDefinition {
  readonly content: SealedContent
  readonly modifiedAt: Date | null
}

/** An entry as recorded for the source, and as it is in the registry. */
export interface CurrentEntry {
  readonly record: EntryRecord | undefined
  readonly current: EntryRevision | undefined
  /** The version that wrote `current`. It is read only if the record does not prove that the source wrote it. */
  readonly version: Version | undefined
  /** The other source that owns the entry, if any. */
  readonly owner: string | undefined
}

export type Decision =
  | { readonly type: 'create' }
  | { readonly type: 'update' }
  /** Nothing is written. The revision is recorded as the source's own, or null. */
  | { readonly type: 'note'; readonly revision: number | null }
  | { readonly type: 'fail'; readonly message: string }

/** Decides how to apply a new definition. `author` is the author of the source's changesets. */
export function decideEntry(
  definition: NewDefinition,
  state: CurrentEntry,
  conflict: Conflict,
  author: string,
): Decision {
  const { record, current } = state
  if (current === undefined) return { type: 'create' }
  const isOwned = (record?.revision ?? null) !== null || isUnrecorded(state, author)
  if (current.content.digest === definition.content.digest) {
    return { type: 'note', revision: isOwned || conflict === 'source' ? current.revision : null }
  }
  return isUnchangedByOthers(state, author) ? { type: 'update' } : SETTLE[conflict](definition, state)
}

/** Whether the source wrote the entry's current content, so that it may change it. */
export function isUnchangedByOthers(state: CurrentEntry, author: string): boolean {
  const { record, current } = state
  if (current === undefined) return false
  const isRecorded =
    (record?.revision ?? null) !== null &&
    (record!.revision === current.revision || record!.digest === current.content.digest)
  return isRecorded || isUnrecorded(state, author)
}

/** Whether the source wrote it, but the gateway ended before recording that. A rollback's revision differs from its version's. */
function isUnrecorded({ record, current, version }: CurrentEntry, author: string): boolean {
  return (
    current !== undefined &&
    version?.author === author &&
    version.revision === current.revision &&
    current.revision > (record?.revision ?? 0)
  )
}

type Settle = (definition: NewDefinition, state: CurrentEntry) => Decision

/** Leaves the entry as it is. An entry that the source owns stays recorded as its own. */
const keepRegistry: Settle = (_definition, { record }) => ({ type: 'note', revision: record?.revision ?? null })

const SETTLE: Readonly<Record<Conflict, Settle>> = {
  source: () => ({ type: 'update' }),
  registry: keepRegistry,
  newer(definition, state) {
    const { modifiedAt } = definition
    const isNewer = modifiedAt !== null && state.version !== undefined && modifiedAt > state.version.createdAt
    return isNewer ? { type: 'update' } : keepRegistry(definition, state)
  },
  fail: (_definition, { record, current, owner, version }) => ({
    type: 'fail',
    message:
      `is not applied, because the entry ${whose(record, owner)}, revision ${current!.revision}${by(version)}. ` +
      'Make both equal, delete the entry, or configure another `conflict`',
  }),
}

function whose(record: EntryRecord | undefined, owner: string | undefined): string {
  if (owner !== undefined) return `belongs to the source ${owner}`
  return (record?.revision ?? null) === null
    ? 'is not owned by a source'
    : 'has been changed since this source wrote it'
}

function by(version: Version | undefined): string {
  return version?.author ? ` by ${version.author}` : ''
}
