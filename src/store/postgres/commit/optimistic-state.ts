import { LRUCache } from 'lru-cache'
import type { EntryRevision } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import { withoutParsedCache } from '../../../core/entry/without-parsed-cache.js'
import type { CommitRequest } from '../../contract/history-writer.js'
import type { CommitState } from '../../planning/commit-state.js'
import { InstanceCounts } from '../instances/instance-counts.js'

/** The server's clock is looked at again after that long: ours may go another way. */
const FRESH_MS = 10_000
/** Where an id was not new after all, others may not be either: what is rolled back costs as much as what is written. */
const DOUBTFUL_MS = 1_000
/** @bound Size of the entries that a gateway remembers from its own recent writes. */
const KEPT_BYTES = 16 * 1024 * 1024

/**
 * The registry as this gateway's last batch left it. A batch that creates entries, or updates some that were written here of late, can be
 * planned on that without a look at the registry: that the pointer has not been touched since, and that no id which it creates has
 * ever been there, is checked by the statement that writes it. The look is about a third of what a lone batch waits for.
 */
export class OptimisticState {
  #left: { readonly standing: CommitState; readonly stamp: string } | null = null
  /** As they stand by the same stamp. */
  readonly #entries = new LRUCache<EntryId, EntryRevision>({
    maxSize: KEPT_BYTES,
    maxEntrySize: KEPT_BYTES / 16,
    sizeCalculation: bytesOf,
  })
  #doubtfulUntil = 0
  /** By the server's clock, and by ours. */
  #looked: { readonly now: Date; readonly at: number } | null = null

  /** A look at the registry has just said what time it is. */
  look(now: Date): void {
    this.#looked = { now, at: performance.now() }
  }

  /**
   * @param standing - As a batch left it, without deletes
   * @param before - The pointer's stamp when that batch was planned
   * @param after - and since it was written
   */
  keep(standing: CommitState, before: string, after: string): void {
    if (this.#left?.stamp !== before) this.#entries.clear()
    for (const [id, entry] of standing.entries) this.#entries.set(id, withoutParsedCache(entry))
    this.#left = { standing: bare(standing), stamp: after }
  }

  forget(): void {
    this.#left = null
    this.#entries.clear()
  }

  /** It was not as it was left. */
  doubt(): void {
    this.forget()
    this.#doubtfulUntil = performance.now() + DOUBTFUL_MS
  }

  /** Null where the registry is to be looked at. */
  forBatch(requests: readonly CommitRequest[]): { readonly standing: CommitState; readonly stamp: string } | null {
    const time = performance.now()
    if (this.#left === null || this.#looked === null || time < this.#doubtfulUntil) return null
    const since = time - this.#looked.at
    if (since > FRESH_MS) return null
    const { standing, stamp } = this.#left
    const now = new Date(Math.max(standing.now.getTime(), this.#looked.now.getTime() + Math.floor(since)))
    // A copy, since planning moves it on and the batch may yet not be written.
    const copy = { ...bare(standing), now }
    return requests.every((request) => this.#place(request, copy)) ? { standing: copy, stamp } : null
  }

  /** Adds the entries that a request updates; false where it does anything else than create and update, or one is not kept. */
  #place({ action, dryRun }: CommitRequest, { entries, lastChanged }: CommitState): boolean {
    return (
      !dryRun &&
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

/** Without what is known of entries and keys. */
function bare(standing: CommitState): CommitState {
  return {
    ...standing,
    entries: new Map(),
    lastChanged: new Map(),
    replies: new Map(),
    instances: new InstanceCounts(),
  }
}
