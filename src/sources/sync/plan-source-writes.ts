import type { EntryRevision, SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import type { Version } from '../../core/history/version.js'
import type { RawOperation } from '../../registry/writing/write-input.js'
import type { History } from '../../store/contract/history.js'
import type { EntryRecord } from '../../store/contract/source-records.js'
import { type SourceSettings, sourceAuthor } from '../contract/source-settings.js'
import { type CurrentEntry, decideEntry, isUnchangedByOthers } from './decide-entry.js'
import type { EntryIntent, GoneEntry, NewEntry } from './source-batch.js'

/** The operations for one intent. */
export interface PlannedWrite {
  readonly intent: EntryIntent
  readonly kind: 'create' | 'update' | 'delete'
  readonly operations: readonly RawOperation[]
  /** The record to save with the revision of the write. Null deletes the record. */
  readonly record: Omit<EntryRecord, 'revision'> | null
}

export interface SourceWritePlan {
  readonly writes: readonly PlannedWrite[]
  readonly notes: readonly EntryRecord[]
  readonly removed: readonly EntryId[]
  readonly failed: readonly { readonly intent: EntryIntent; readonly message: string }[]
}

/** @bound Entries that are read in one statement while a pass is planned. */
const CHUNK = 1_000

type Step =
  | { readonly type: 'write'; readonly write: PlannedWrite }
  | { readonly type: 'note'; readonly record: EntryRecord }
  | { readonly type: 'remove' }
  | { readonly type: 'fail'; readonly message: string }

/** Compares intents with the registry's head and plans the writes. */
export async function planSourceWrites(
  intents: readonly EntryIntent[],
  settings: SourceSettings,
  history: History,
): Promise<SourceWritePlan> {
  const plan = {
    writes: [] as PlannedWrite[],
    notes: [] as EntryRecord[],
    removed: [] as EntryId[],
    failed: [] as { intent: EntryIntent; message: string }[],
  }
  for (let from = 0; from < intents.length; from += CHUNK) {
    const chunk = intents.slice(from, from + CHUNK)
    const state = await readCurrentEntries(chunk, settings, history)
    for (const intent of chunk) {
      const step =
        intent.type === 'new' ? stepForNew(intent, state.of(intent), settings) : stepForGone(intent, state, settings)
      if (step.type === 'write') plan.writes.push(step.write)
      else if (step.type === 'note') plan.notes.push(step.record)
      else if (step.type === 'fail') plan.failed.push({ intent, message: step.message })
      else plan.removed.push(intent.id)
    }
  }
  return plan
}

interface CurrentEntries {
  of(intent: EntryIntent): CurrentEntry
  /** Entries that were deleted after this source wrote them. The current ones do not belong to it. */
  readonly recreated: ReadonlySet<EntryId>
}

async function readCurrentEntries(
  chunk: readonly EntryIntent[],
  { name, conflict }: SourceSettings,
  history: History,
): Promise<CurrentEntries> {
  const current = await history.entries(
    chunk.map(({ id }) => id),
    'head',
  )
  const isInDoubt = ({ id, record }: EntryIntent) =>
    current.has(id) && !(record?.revision === current.get(id)!.revision)
  const inDoubt = chunk.filter(isInDoubt)
  const versions =
    inDoubt.length === 0
      ? new Map<number, Version>()
      : await history.versions([...new Set(inDoubt.map(({ id }) => current.get(id)!.version))])
  const owners =
    conflict === 'fail' && inDoubt.length > 0
      ? await history.sources.owners(inDoubt.map(({ id }) => id))
      : new Map<EntryId, string>()
  const gone = inDoubt.flatMap(({ id, type, record }) =>
    type === 'gone' && record?.revision != null ? [{ id, revision: record.revision }] : [],
  )
  return {
    of({ id, record }) {
      const entry = current.get(id)
      const owner = owners.get(id)
      return {
        record,
        current: entry,
        version: entry && versions.get(entry.version),
        owner: owner === name ? undefined : owner,
      }
    },
    recreated: gone.length === 0 ? new Set() : await history.sources.deletedSince(gone),
  }
}

function stepForNew(intent: NewEntry, state: CurrentEntry, { name, conflict }: SourceSettings): Step {
  const { id, content, location } = intent
  const { current } = state
  const decision = decideEntry(intent, state, conflict, sourceAuthor(name))
  if (decision.type === 'fail') return { type: 'fail', message: decision.message }
  const record = { id, location, digest: content.digest }
  if (decision.type === 'note') return { type: 'note', record: { ...record, revision: decision.revision } }
  if (decision.type === 'create')
    return { type: 'write', write: { intent, kind: 'create', operations: [createOf(id, content)], record } }
  const operations =
    current!.content.kind === content.kind ? [updateOf(current!, content)] : [deleteOf(current!), createOf(id, content)]
  return { type: 'write', write: { intent, kind: 'update', operations, record } }
}

function stepForGone(intent: GoneEntry, state: CurrentEntries, { missing, name }: SourceSettings): Step {
  const { id, record } = intent
  const entry = state.of(intent)
  const { current } = entry
  const isOwned =
    current !== undefined &&
    (isUnchangedByOthers(entry, sourceAuthor(name)) || (record.revision !== null && !state.recreated.has(id)))
  if (!isOwned) return { type: 'remove' }
  if (missing === 'delete')
    return { type: 'write', write: { intent, kind: 'delete', operations: [deleteOf(current)], record: null } }
  const unavailable = { id, location: null, digest: '' }
  const meta = JSON.parse(current.content.metaText) as Record<string, Json>
  if (meta['unavailable'] === true) return { type: 'note', record: { ...unavailable, revision: current.revision } }
  const update: RawOperation = { ...updateOf(current, current.content), meta: { ...meta, unavailable: true } }
  return { type: 'write', write: { intent, kind: 'update', operations: [update], record: unavailable } }
}

/** Parses without the cache of SealedContent, because a batch holds many contents. */
function contentOf({ kind, metaText, dataText }: SealedContent) {
  return { entryKind: kind, meta: JSON.parse(metaText) as unknown, data: JSON.parse(dataText) as unknown }
}

function createOf(id: EntryId, content: SealedContent): RawOperation {
  return { kind: 'CREATE', id, ...contentOf(content) }
}

function updateOf({ id, revision }: EntryRevision, content: SealedContent): RawOperation {
  return { kind: 'UPDATE', id, ifRevision: revision, ...contentOf(content) }
}

function deleteOf({ id, revision }: EntryRevision): RawOperation {
  return { kind: 'DELETE', id, ifRevision: revision }
}
