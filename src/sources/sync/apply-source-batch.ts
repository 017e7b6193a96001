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
  /** Locations with an entry that was not applied. */
  readonly failedLocations: ReadonlySet<string>
  readonly delta: readonly Operation[]
}

/** @bound Attempts to apply entries of a source that others keep changing. What remains is left for the next scan. */
const MAX_WRITE_ATTEMPTS = 5

/**
 * Applies one batch and records the outcome: entries as soon as they are committed, their locations at the end. A dry run
 * records nothing.
 */
export async function applySourceBatch(
  batch: SourceBatch,
  options: WriteOptions,
  locationRecords: LocationRecords,
): Promise<AppliedBatch> {
  const { settings, registry, dryRun } = options
  if (!dryRun) await clearStamps(batch, locationRecords)
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

  let pending: readonly EntryIntent[] = batch.intents
  for (let attempt = 1; pending.length > 0; attempt++) {
    const plan = await planSourceWrites(pending, settings, registry.history)
    notes.push(...plan.notes)
    removed.push(...plan.removed)
    for (const { intent, message } of plan.failed) fail(intent, message)
    const { written, outdated, refused } = await writeSourceBatch(plan.writes, {
      ...options,
      committed: async ({ writes, revision }) => {
        if (!dryRun && revision !== null) await locationRecords.save(recordsOf(writes, revision))
      },
    })
    for (const { write, message } of refused) fail(write.intent, message)
    for (const done of written) {
      for (const { kind } of done.writes) counts[kind] += 1
      delta.push(...(dryRun ? done.delta : []))
      if (!dryRun) version = done.version
    }
    if (outdated.length > 0 && attempt === MAX_WRITE_ATTEMPTS) {
      for (const { intent } of outdated)
        fail(intent, `the entry was changed by others during each of ${MAX_WRITE_ATTEMPTS} attempts to write it`)
      break
    }
    pending = outdated.map(({ intent }) => intent)
  }

  if (!dryRun) {
    await locationRecords.save({ entries: notes, removedEntries: removed, ...locationsOf(batch, failedLocations) })
    if (version !== null) await locationRecords.endWrites()
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

/** Without a stamp these locations are read again if this gateway ends before the batch is recorded. */
async function clearStamps(
  { locations, removedLocations }: SourceBatch,
  locationRecords: LocationRecords,
): Promise<void> {
  const stale = [...new Set([...locations.keys(), ...removedLocations])].flatMap((location) => {
    const record = locationRecords.get(location)
    return record === undefined || record.stamp === null ? [] : [{ ...record, stamp: null }]
  })
  if (stale.length > 0)
    await locationRecords.save({ entries: [], removedEntries: [], locations: stale, removedLocations: [] })
}

function recordsOf(writes: readonly PlannedWrite[], revision: number): RecordChanges {
  const entries = writes.flatMap(({ record }) => (record === null ? [] : [{ ...record, revision }]))
  const removedEntries = writes.flatMap(({ record, intent }) => (record === null ? [intent.id] : []))
  return { entries, removedEntries, locations: [], removedLocations: [] }
}

/** A location with a failure is read again in each pass. A deleted one stays recorded until its entries are deleted. */
function locationsOf(
  batch: SourceBatch,
  failed: ReadonlySet<string>,
): Pick<RecordChanges, 'locations' | 'removedLocations'> {
  const removed = new Set(batch.removedLocations.filter((location) => !failed.has(location)))
  const remaining = [...batch.locations.values()].filter(({ location }) => !removed.has(location))
  const locations = remaining.map((record) => (failed.has(record.location) ? { ...record, stamp: null } : record))
  return { locations, removedLocations: [...removed] }
}
