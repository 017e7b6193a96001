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

/** What is to be written for one intent. */
export interface PlannedWrite {
  readonly intent: EntryIntent
  readonly kind: 'create' | 'update' | 'delete'
  readonly operations: readonly RawOperation[]
  /** What is recorded once it has been written, given the revision; null takes the record away. */
  readonly record: Omit<EntryRecord, 'revision'> | null
}

export interface SourceWritePlan {
  readonly writes: readonly PlannedWrite[]
  readonly notes: readonly EntryRecord[]
  readonly removed: readonly EntryId[]
  readonly failed: readonly { readonly intent: EntryIntent; readonly message: string }[]
}

/** Entries whose state is asked for in one statement. */
const CHUNK = 1_000

type Step =
  | { readonly type: 'write'; readonly write: PlannedWrite }
  | { readonly type: 'note'; readonly record: EntryRecord }
  | { readonly type: 'remove' }
  | { readonly type: 'fail'; readonly message: string }

/** Holds intents against the registry as it stands. Changes nothing. */
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
    const standing = await readStanding(chunk, settings, history)
    for (const intent of chunk) {
      const step =
        intent.type === 'new'
          ? stepOfNew(intent, standing.of(intent), settings)
          : stepOfGone(intent, standing, settings)
      if (step.type === 'write') plan.writes.push(step.write)
      else if (step.type === 'note') plan.notes.push(step.record)
      else if (step.type === 'fail') plan.failed.push({ intent, message: step.message })
      else plan.removed.push(intent.id)
    }
  }
  return plan
}

interface Standing {
  of(intent: EntryIntent): CurrentEntry
  /** Deleted since this source wrote it: what stands there now is not its own. */
  readonly madeAnew: ReadonlySet<EntryId>
}

async function readStanding(
  chunk: readonly EntryIntent[],
  { name, conflict }: SourceSettings,
  history: History,
): Promise<Standing> {
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
    madeAnew: gone.length === 0 ? new Set() : await history.sources.deletedSince(gone),
  }
}

function stepOfNew(intent: NewEntry, standing: CurrentEntry, { name, conflict }: SourceSettings): Step {
  const { id, content, location } = intent
  const { current } = standing
  const decision = decideEntry(intent, standing, conflict, sourceAuthor(name))
  if (decision.type === 'fail') return { type: 'fail', message: decision.message }
  const record = { id, location, digest: content.digest }
  if (decision.type === 'note') return { type: 'note', record: { ...record, revision: decision.revision } }
  if (decision.type === 'create')
    return { type: 'write', write: { intent, kind: 'create', operations: [createOf(id, content)], record } }
  const operations =
    current!.content.kind === content.kind ? [updateOf(current!, content)] : [deleteOf(current!), createOf(id, content)]
  return { type: 'write', write: { intent, kind: 'update', operations, record } }
}

function stepOfGone(intent: GoneEntry, standing: Standing, { missing, name }: SourceSettings): Step {
  const { id, record } = intent
  const entry = standing.of(intent)
  const { current } = entry
  const isOwned =
    current !== undefined &&
    (isUnchangedByOthers(entry, sourceAuthor(name)) || (record.revision !== null && !standing.madeAnew.has(id)))
  if (!isOwned) return { type: 'remove' }
  if (missing === 'delete')
    return { type: 'write', write: { intent, kind: 'delete', operations: [deleteOf(current)], record: null } }
  const unavailable = { id, location: null, digest: '' }
  const meta = JSON.parse(current.content.metaText) as Record<string, Json>
  if (meta['unavailable'] === true) return { type: 'note', record: { ...unavailable, revision: current.revision } }
  const update: RawOperation = { ...updateOf(current, current.content), meta: { ...meta, unavailable: true } }
  return { type: 'write', write: { intent, kind: 'update', operations: [update], record: unavailable } }
}

/** Parsed by itself: a content keeps what it has parsed, and a batch holds many. */
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
