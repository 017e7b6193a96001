import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import { partitionPoint } from '../../core/entry/partition-point.js'
import { cancellable } from '../async/cancellable.js'
import type { InstanceWatch } from './instance-watch.js'
import type { InstanceChange } from './watched-entry.js'

/** What has happened to an entry's instances since the batch before. */
export interface InstanceBatch {
  readonly entryId: EntryId
  /** The stream begins, or begins anew since too much was missed: what was told before is void. */
  readonly reset: boolean
  readonly changes: readonly InstanceChange[]
  /** All that lives has been told. */
  readonly synced: boolean
}

/** @bound Instances in one batch of a stream. */
const BATCH_INSTANCES = 500
/** @bound Size of the metadata in one batch of instances, unless a single instance has more. */
const BATCH_METADATA_BYTES = 1024 * 1024

/**
 * The live instances of an entry, in pages, then what comes, is renewed and goes. A follower is two numbers, whatever
 * it misses:
 *
 *   by token      told already ──────▶ `told` │ not told yet     where one page ends and the next begins
 *   by change     heard already ─────▶ `heard` │ not yet         of those not told yet, nothing need be heard
 */
export function followInstances(
  watch: InstanceWatch,
  entryId: EntryId,
  signal: AbortSignal,
): AsyncIterableIterator<InstanceBatch> {
  return cancellable(signal, (signal) => followed(watch, entryId, signal))
}

async function* followed(
  watch: InstanceWatch,
  entryId: EntryId,
  signal: AbortSignal,
): AsyncGenerator<InstanceBatch, void, undefined> {
  const follower = { heard: 0 }
  const { entry, seen, changed, leave } = watch.join(entryId, follower)
  try {
    await seen(signal)
    let told = 0
    let reset = true
    follower.heard = entry.next
    while (!signal.aborted) {
      const missed = entry.since(follower.heard)
      if (missed === null) {
        told = 0
        reset = true
        follower.heard = entry.next
      } else {
        const page = firstPage(missed, ({ instance }) => instance)
        const changes = page.filter(({ instance }) => instance.fencingToken <= told)
        follower.heard += page.length
        if (changes.length > 0)
          yield { entryId, reset: false, changes, synced: told === Infinity && page.length === missed.length }
        if (page.length < missed.length) continue
      }
      if (told < Infinity) {
        const left = entry.live.slice(partitionPoint(entry.live, ({ fencingToken }) => fencingToken <= told))
        const page = firstPage(left, (instance) => instance)
        const synced = page.length === left.length
        told = synced ? Infinity : page.at(-1)!.fencingToken
        yield { entryId, reset, changes: page.map((instance) => ({ kind: 'LIVE', instance })), synced }
        reset = false
      } else if (follower.heard === entry.next) await changed(signal)
    }
  } finally {
    leave()
  }
}

function firstPage<Item>(items: readonly Item[], instanceOf: (item: Item) => Instance): readonly Item[] {
  let bytes = 0
  const end = items.findIndex((item, i) => {
    bytes += instanceOf(item).metadataBytes
    return i > 0 && (i === BATCH_INSTANCES || bytes > BATCH_METADATA_BYTES)
  })
  return end < 0 ? items : items.slice(0, end)
}
