import { LRUCache } from 'lru-cache'
import type { EntryRevision } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import { withoutParsedCache } from '../../../core/entry/without-parsed-cache.js'
import type { CommitRequest } from '../../contract/history-writer.js'
import type { CommitState } from '../../planning/commit-state.js'
import { InstanceCounts } from '../instances/instance-counts.js'

/** @bound Time until the server's clock is read again, because this process's clock may run at another speed. */
const CLOCK_MS = 10_000
/**
 * @bound Time without optimistic writes after one failed, because a batch that is rolled back costs as much as one that
 * is written.
 */
const PAUSE_MS = 1_000
/** @bound Bytes of entries cached for optimistic writes, in their state after this gateway's last batches. */
const CACHED_BYTES = 16 * 1024 * 1024

interface PlannedOn {
  readonly state: CommitState
  /** The pointer's stamp at that state (see head-stamp.ts). */
  readonly stamp: string
}

/**
 * The state of the registry after this gateway's last batch. A batch that creates entries, or updates entries written
 * here recently, can be planned on it without reading the registry first. The statement that writes the batch checks
 * that the pointer's stamp is still the same and that no created id ever existed. The read would be about a third of
 * the time of a lone batch.
 */
export class OptimisticState {
  #last: PlannedOn | null = null
  /** Entries as they are at the same stamp. */
  readonly #entries = new LRUCache<EntryId, EntryRevision>({
    maxSize: CACHED_BYTES,
    maxEntrySize: CACHED_BYTES / 16,
    sizeCalculation: bytesOf,
  })
  #pausedUntil = 0
  /** One instant by the server's clock and by this process's. */
  #clock: { readonly now: Date; readonly at: number } | null = null

  /** Stores the current time of the server's clock. */
  setClock(now: Date): void {
    this.#clock = { now, at: performance.now() }
  }

  /**
   * Caches the state after a batch without deletes.
   * @param before - The pointer's stamp on which the batch was planned
   * @param after - The pointer's stamp after the batch
   */
  store(state: CommitState, before: string, after: string): void {
    if (this.#last?.stamp !== before) this.#entries.clear()
    for (const [id, entry] of state.entries) this.#entries.set(id, withoutParsedCache(entry))
    this.#last = { state: withoutEntries(state), stamp: after }
  }

  clear(): void {
    this.#last = null
    this.#entries.clear()
  }

  /** Clears the state after a batch planned on it could not be written, and pauses optimistic writes. */
  pause(): void {
    this.clear()
    this.#pausedUntil = performance.now() + PAUSE_MS
  }

  /** Returns the state on which to plan a batch, or null if the registry has to be read first. */
  forBatch(requests: readonly CommitRequest[]): PlannedOn | null {
    const time = performance.now()
    if (this.#last === null || this.#clock === null || time < this.#pausedUntil) return null
    const elapsed = time - this.#clock.at
    if (elapsed > CLOCK_MS) return null
    const { state, stamp } = this.#last
    const now = new Date(Math.max(state.now.getTime(), this.#clock.now.getTime() + Math.floor(elapsed)))
    // A copy, because planning changes it and the batch may not be written after all.
    const copy = { ...withoutEntries(state), now }
    return requests.every((request) => this.#addEntries(request, copy)) ? { state: copy, stamp } : null
  }

  /**
   * Adds the entries that a request updates. Returns false if one of them is not cached, or if the request does more
   * than create and update.
   */
  #addEntries({ action, derived, dryRun }: CommitRequest, { entries, lastChanged }: CommitState): boolean {
    return (
      !dryRun &&
      derived === undefined &&
      action.type === 'changeset' &&
      action.operations.every(({ kind, id }) => {
        if (kind !== 'UPDATE') return kind === 'CREATE'
        const entry = this.#entries.get(id)
        if (entry === undefined) return false
        entries.set(id, entry)
        lastChanged.set(id, entry.revision)
        return true
      })
    )
  }
}

function bytesOf({ content }: EntryRevision, id: EntryId): number {
  return 300 + 2 * (id.length + content.metaText.length + content.dataText.length)
}

function withoutEntries(state: CommitState): CommitState {
  return { ...state, entries: new Map(), lastChanged: new Map(), replies: new Map(), instances: new InstanceCounts() }
}
