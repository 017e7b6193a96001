import { LRUCache } from 'lru-cache'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import { withoutParsedCache } from '../../core/entry/without-parsed-cache.js'
import type { Head } from '../../core/history/version.js'
import { SharedRead } from '../../store/coalescing/shared-read.js'
import { SharedReadWaiters } from '../../store/coalescing/shared-read-waiters.js'
import type { HeadReader, ReadIndexResult } from '../../store/contract/head-reader.js'
import type { EntryPage } from '../../store/contract/history-reader.js'
import { entryBytes } from '../../store/planning/content-size.js'
import { type EntryBatcher, entryBatcher } from './entry-batcher.js'
import { HeadPageCache } from './head-page-cache.js'

/** @bound Size of the cache of entries at the head. */
const ENTRY_CACHE_BYTES = 64 * 1024 * 1024
/** @bound Size of the cache of pages at the head. */
const PAGE_CACHE_BYTES = 32 * 1024 * 1024
/** @bound Changes between two read-index queries. If there are more, the whole head cache is dropped. */
const MOST_CHANGES = 5_000
/** Further than any revision: asks for no changes. */
const NONE_SINCE = Number.MAX_SAFE_INTEGER

interface Kept {
  /** Null: there is none. */
  readonly entry: EntryRevision | null
  /** The revision of the look that it was read by. */
  readonly at: number
  /** No two have the same. */
  readonly mark: number
}

/** `mark` names the entry as it is kept, where it was kept before it was asked for. */
export type EntryCallback = (entry: EntryRevision | null, mark: number | null) => void

interface Asked {
  readonly id: EntryId
  readonly told: EntryCallback
  failed(error: unknown): void
}

/**
 * Reads at the head out of memory, none older than any write acknowledged before it began (on whichever gateway):
 *
 *   request comes ──▶ a look at the head begins ──▶ it is at revision R, and these entries changed since the last look
 *                     (one for all who wait)         what is kept is brought up to R, and only then is the request served
 *
 * A look that begins after the request came sees every write acknowledged before. What is kept is true of `#through`,
 * and is never served to who has seen a higher R. Nothing is read while nobody asks. Entries that are asked for
 * together are of one revision, kept or not. What is not kept is read without a look: that statement is one itself.
 */
export class HeadCache {
  readonly #kept: LRUCache<EntryId, Kept>
  readonly #looks: SharedRead<Head>
  readonly #misses: EntryBatcher
  readonly #afterLook = new SharedReadWaiters<Asked>(
    (asked) => this.#tell(asked),
    ({ failed }, error) => failed(error),
  )
  readonly #pages: HeadPageCache
  /** All that is kept is true of this revision, save for what was read at a later one. */
  #through = 0
  #marks = 0

  constructor(
    private readonly reader: HeadReader,
    bytes = ENTRY_CACHE_BYTES,
    pageBytes = PAGE_CACHE_BYTES,
  ) {
    this.#kept = new LRUCache({ maxSize: bytes, maxEntrySize: bytes / 16, sizeCalculation: keptBytes })
    this.#looks = new SharedRead(() => this.#look())
    this.#misses = entryBatcher(reader)
    this.#pages = new HeadPageCache(pageBytes)
  }

  /** What is kept takes so many, roughly. */
  get bytes(): number {
    return this.#kept.calculatedSize + this.#pages.bytes
  }

  /** At least as new as every write acknowledged before the call, by any gateway. */
  head(): Promise<Head> {
    return this.#looks.read()
  }

  /** Entries as they stand at one revision, which is at least as new; ids without one are left out. */
  async entries(ids: readonly EntryId[]): Promise<ReadonlyMap<EntryId, EntryRevision>> {
    if (ids.every((id) => this.#kept.has(id))) {
      const { revision } = await this.head()
      const kept = this.#keptAt(ids, revision)
      if (kept !== null) return kept
    }
    const { revision, entries } = await this.#misses.request(ids, ids.length)
    const found = new Map<EntryId, EntryRevision>()
    for (const id of ids) {
      const entry = entries.get(id)
      if (entry !== undefined) found.set(id, entry)
      this.#keep(id, entry ?? null, revision)
    }
    return found
  }

  /** As `entries`, of one, told instead of promised: the promises took as long as all else that is done for it. Neither may throw. */
  entry(id: EntryId, told: EntryCallback, failed: (error: unknown) => void): void {
    if (!this.#kept.has(id)) return this.#readOne({ id, told, failed })
    this.#afterLook.add(this.head(), { id, told, failed })
  }

  /** Whether an entry is still as it was when it was marked: after a look, as of that look. */
  isMarked(id: EntryId, mark: number): boolean {
    return this.#kept.get(id)?.mark === mark
  }

  /** The entries behind an id, by id, at one revision; `read` reads them where they are not kept. */
  async page(after: EntryId | null, limit: number, read: () => Promise<EntryPage>): Promise<EntryPage> {
    if (this.#pages.covers(after)) {
      await this.head()
      const kept = this.#pages.page(after, limit, this.#through)
      if (kept !== null) return kept
    }
    const found = await read()
    this.#pages.keep(after, found, this.#through)
    return found
  }

  /** After a look. */
  #tell(asked: Asked): void {
    const kept = this.#kept.get(asked.id)
    if (kept === undefined) this.#readOne(asked)
    else asked.told(kept.entry && withoutParsedCache(kept.entry), kept.entry && kept.mark)
  }

  #readOne({ id, told, failed }: Asked): void {
    this.#misses.add(
      [id],
      1,
      0,
      ({ revision, entries }) => {
        const entry = entries.get(id) ?? null
        this.#keep(id, entry, revision)
        told(entry, null)
      },
      failed,
    )
  }

  /** All of them as of one revision that is not below this one; null where that cannot be had. */
  #keptAt(ids: readonly EntryId[], revision: number): Map<EntryId, EntryRevision> | null {
    const found = new Map<EntryId, EntryRevision>()
    /** Each is true from its `since` to its `until`: together they are where all of these overlap. */
    let since = revision
    let until = Infinity
    for (const id of ids) {
      const kept = this.#kept.get(id)
      if (kept === undefined) return null
      until = Math.min(until, Math.max(this.#through, kept.at))
      since = Math.max(since, kept.entry === null ? kept.at : kept.entry.revision)
      if (kept.entry !== null) found.set(id, withoutParsedCache(kept.entry))
    }
    return since <= until ? found : null
  }

  async #look(): Promise<Head> {
    const since = this.#kept.size === 0 && this.#pages.bytes === 0 ? NONE_SINCE : this.#through
    const look = await this.reader.readIndex(since, MOST_CHANGES)
    this.#advance(since === NONE_SINCE ? { ...look, changed: null } : look)
    return look.head
  }

  /** Looks follow one another, so each is told what has changed since the one before. */
  #advance({ head: { revision }, changed }: ReadIndexResult): void {
    // The store has gone back, as a database does that is restored: what is kept may be of what has not happened.
    if (revision < this.#through) {
      this.#kept.clear()
      this.#pages.clear()
    }
    this.#through = revision
    this.#pages.advance(revision, changed)
    if (changed === null) {
      for (const id of [...this.#kept.keys()]) if (this.#kept.peek(id)!.at < revision) this.#kept.delete(id)
      return
    }
    for (const [id, entry] of changed) {
      const kept = this.#kept.peek(id)
      if (kept === undefined || kept.at >= revision) continue
      if (entry === null) this.#kept.delete(id)
      else this.#kept.set(id, { entry, at: revision, mark: ++this.#marks })
    }
  }

  /** What was read before the last look may have changed since, and that look has been heard already. */
  #keep(id: EntryId, entry: EntryRevision | null, at: number): void {
    if (at >= this.#through && at >= (this.#kept.peek(id)?.at ?? 0))
      this.#kept.set(id, { entry: entry && withoutParsedCache(entry), at, mark: ++this.#marks })
  }
}

function keptBytes({ entry }: Kept, id: EntryId): number {
  return 300 + 2 * (id.length + entryBytes(entry))
}
