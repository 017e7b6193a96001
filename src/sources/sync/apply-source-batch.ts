import type { EntryId } from '../../core/entry/entry-id.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { EntryRecord, RecordChanges } from '../../store/contract/source-records.js'
import type { SourceFailure } from '../contract/source-failure.js'
import { failureAt } from '../forms/failure-list.js'
import type { LocationRecords } from './location-records.js'
import { type PlannedWrite, planSourceWrites } from './plan-source-writes.js'
import type { EntryIntent, SourceBatch } from './source-batch.js'
import { type WriteOptions, writeSourceBatch } from './write-source-batch.js'

export interface AppliedBatch {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly version: number | null
  readonly failures: readonly SourceFailure[]
  /** Of these locations something was not taken over. */
  readonly failedLocations: ReadonlySet<string>
  readonly delta: readonly Operation[]
}

/** @bound Attempts to apply entries of a source that others keep changing. What remains is left for the next scan. */
const MOST_TRIES = 5

/**
 * Brings one batch into the registry and records what came of it: entries as soon as they are committed, their locations
 * when all is done. On a dry run nothing is recorded.
 */
export async function applySourceBatch(
  batch: SourceBatch,
  options: WriteOptions,
  book: LocationRecords,
): Promise<AppliedBatch> {
  const { settings, registry, dryRun } = options
  if (!dryRun) await forgetStamps(batch, book)
  const counts = { create: 0, update: 0, delete: 0 }
  let version: number | null = null
  const failures: SourceFailure[] = []
  const failedLocations = new Set<string>()
  const delta: Operation[] = []
  const notes: EntryRecord[] = [...batch.notes]
  const removed: EntryId[] = []

  const fail = (intent: EntryIntent, message: string) => {
    const location = intent.type === 'new' ? intent.location : intent.record.location
    if (location !== null) failedLocations.add(location)
    failures.push(failureAt(location ?? settings.name, intent.type === 'new' ? intent.line : null, intent.id, message))
  }

  let open: readonly EntryIntent[] = batch.intents
  for (let attempt = 1; open.length > 0; attempt++) {
    const plan = await planSourceWrites(open, settings, registry.history)
    notes.push(...plan.notes)
    removed.push(...plan.removed)
    for (const { intent, message } of plan.failed) fail(intent, message)
    const { written, overtaken, refused } = await writeSourceBatch(plan.writes, {
      ...options,
      committed: async ({ writes, revision }) => {
        if (!dryRun && revision !== null) await book.save(recordsOf(writes, revision))
      },
    })
    for (const { write, message } of refused) fail(write.intent, message)
    for (const done of written) {
      for (const { kind } of done.writes) counts[kind] += 1
      delta.push(...(dryRun ? done.delta : []))
      if (!dryRun) version = done.version
    }
    if (overtaken.length > 0 && attempt === MOST_TRIES) {
      for (const { intent } of overtaken)
        fail(intent, `the entry was changed by others each time it was to be written, ${MOST_TRIES} times`)
      break
    }
    open = overtaken.map(({ intent }) => intent)
  }

  if (!dryRun) {
    await book.save({ entries: notes, removedEntries: removed, ...locationsOf(batch, failedLocations) })
    if (version !== null) await book.settle()
  }
  return {
    created: counts.create,
    updated: counts.update,
    deleted: counts.delete,
    version,
    failures,
    failedLocations,
    delta,
  }
}

/** Should this gateway end in the midst of it, whoever goes on reads these locations again. */
async function forgetStamps({ locations, removedLocations }: SourceBatch, book: LocationRecords): Promise<void> {
  const stale = [...new Set([...locations.keys(), ...removedLocations])].flatMap((location) => {
    const record = book.get(location)
    return record === undefined || record.stamp === null ? [] : [{ ...record, stamp: null }]
  })
  if (stale.length > 0) await book.save({ entries: [], removedEntries: [], locations: stale, removedLocations: [] })
}

function recordsOf(writes: readonly PlannedWrite[], revision: number): RecordChanges {
  const entries = writes.flatMap(({ record }) => (record === null ? [] : [{ ...record, revision }]))
  const removedEntries = writes.flatMap(({ record, intent }) => (record === null ? [intent.id] : []))
  return { entries, removedEntries, locations: [], removedLocations: [] }
}

/** A location of which something failed is read again each time; one that is gone stays known until its entries are. */
function locationsOf(
  batch: SourceBatch,
  failed: ReadonlySet<string>,
): Pick<RecordChanges, 'locations' | 'removedLocations'> {
  const removed = new Set(batch.removedLocations.filter((location) => !failed.has(location)))
  const kept = [...batch.locations.values()].filter(({ location }) => !removed.has(location))
  const locations = kept.map((record) => (failed.has(record.location) ? { ...record, stamp: null } : record))
  return { locations, removedLocations: [...removed] }
}
