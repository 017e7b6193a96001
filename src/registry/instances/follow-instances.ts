import { partitionPoint } from '../../core/algorithms/partition-point.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import { cancellable } from '../async/cancellable.js'
import type { InstanceWatch } from './instance-watch.js'
import type { InstanceChange } from './watched-entry.js'

/** The changes of an entry's instances since the previous batch. */
export interface InstanceBatch {
  readonly entryId: EntryId
  /** The stream starts, or restarts because it missed too much. Discard earlier batches. */
  readonly reset: boolean
  readonly changes: readonly InstanceChange[]
  /** All live instances were sent. */
  readonly synced: boolean
}

/** @bound Instances in one batch of a stream. */
const BATCH_INSTANCES = 500
/** @bound Size of the metadata in one batch of instances, unless a single instance has more. */
const BATCH_METADATA_BYTES = 1024 * 1024

/**
 * Yields the live instances of an entry in pages, then each one that is acquired, renewed or ended. The state of a
 * follower is two numbers, however much it misses:
 *
 *   by token      sent ──────▶ `sentToken` │ not sent yet      where one page ends and the next begins
 *   by change     read ──────▶ `next` │ not read yet           changes of instances that are not sent yet are skipped
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
  const follower = { next: 0 }
  const { entry, seen, changed, leave } = watch.join(entryId, follower)
  try {
    await seen(signal)
    let sentToken = 0
    let reset = true
    follower.next = entry.next
    while (!signal.aborted) {
      const missed = entry.since(follower.next)
      if (missed === null) {
        sentToken = 0
        reset = true
        follower.next = entry.next
      } else {
        const page = firstPage(missed, ({ instance }) => instance)
        const changes = page.filter(({ instance }) => instance.fencingToken <= sentToken)
        follower.next += page.length
        if (changes.length > 0)
          yield { entryId, reset: false, changes, synced: sentToken === Infinity && page.length === missed.length }
        if (page.length < missed.length) continue
      }
      if (sentToken < Infinity) {
        const left = entry.live.slice(partitionPoint(entry.live, ({ fencingToken }) => fencingToken <= sentToken))
        const page = firstPage(left, (instance) => instance)
        const synced = page.length === left.length
        sentToken = synced ? Infinity : page.at(-1)!.fencingToken
        yield { entryId, reset, changes: page.map((instance) => ({ kind: 'LIVE', instance })), synced }
        reset = false
      } else if (follower.next === entry.next) await changed(signal)
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
