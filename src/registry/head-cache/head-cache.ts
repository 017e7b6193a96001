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
const MAX_CHANGES = 5_000
/** Higher than any revision: a read-index query with it returns no changes. */
const NO_CHANGES = Number.MAX_SAFE_INTEGER

interface CachedEntry {
  /** Null if there is no such entry. */
  readonly entry: EntryRevision | null
  /** The revision at which it was read. */
  readonly at: number
  /** Unique for each cached state. */
  readonly mark: number
}

/** @param mark - identifies the state of the entry if it was served from the cache, else null */
export type EntryCallback = (entry: EntryRevision | null, mark: number | null) => void

interface EntryRequest {
  readonly id: EntryId
  readonly onResult: EntryCallback
  readonly onError: (error: unknown) => void
}

/**
 * Serves linearizable reads at the head from memory: every read sees the writes that any gateway acknowledged before it.
 *
 *   request arrives ▶ a read-index query starts ──▶ the head is at revision R, and these entries changed since the last query
 *                     (one for all that wait)        the cache is brought up to R, and only then is the request served
 *
 * Everything cached is valid at `#through`, so a request is never served a state older than the R it has seen. Without requests
 * there are no queries. Entries of one request are of one revision, cached or not. A miss needs no read-index query, because the
 * statement that reads it is one itself.
 */
export class HeadCache {
  readonly #entries: LRUCache<EntryId, CachedEntry>
  readonly #readIndex: SharedRead<Head>
  readonly #misses: EntryBatcher
  readonly #waiters = new SharedReadWaiters<EntryRequest>(
    (request) => this.#answer(request),
    ({ onError }, error) => onError(error),
  )
  readonly #pages: HeadPageCache
  /** The revision at which everything cached is valid, except for entries that were read at a later one. */
  #through = 0
  #marks = 0

  /**
   * @param bytes - size of the cache of entries
   * @param pageBytes - size of the cache of pages
   */
  constructor(
    private readonly reader: HeadReader,
    bytes = ENTRY_CACHE_BYTES,
    pageBytes = PAGE_CACHE_BYTES,
  ) {
    this.#entries = new LRUCache({ maxSize: bytes, maxEntrySize: bytes / 16, sizeCalculation: cachedBytes })
    this.#readIndex = new SharedRead(() => this.#queryReadIndex())
    this.#misses = entryBatcher(reader)
    this.#pages = new HeadPageCache(pageBytes)
  }

  /** Estimated size of the cache, in bytes. */
  get bytes(): number {
    return this.#entries.calculatedSize + this.#pages.bytes
  }

  /** Returns a head at least as new as every write that any gateway acknowledged before the call. */
  head(): Promise<Head> {
    return this.#readIndex.read()
  }

  /** Returns entries of one revision that is at least as new as `head()`. Ids without an entry are left out. */
  async entries(ids: readonly EntryId[]): Promise<ReadonlyMap<EntryId, EntryRevision>> {
    if (ids.every((id) => this.#entries.has(id))) {
      const { revision } = await this.head()
      const cached = this.#cachedAt(ids, revision)
      if (cached !== null) return cached
    }
    const { revision, entries } = await this.#misses.request(ids, ids.length)
    const found = new Map<EntryId, EntryRevision>()
    for (const id of ids) {
      const entry = entries.get(id)
      if (entry !== undefined) found.set(id, entry)
      this.#cache(id, entry ?? null, revision)
    }
    return found
  }

  /**
   * Reads one entry as `entries` does, but with callbacks, because promises took as long as the rest of the read.
   * Callbacks must not throw.
   */
  entry(id: EntryId, onResult: EntryCallback, onError: (error: unknown) => void): void {
    if (!this.#entries.has(id)) return this.#readOne({ id, onResult, onError })
    this.#waiters.add(this.head(), { id, onResult, onError })
  }

  /** Whether an entry is still in the state that `mark` names. Called after a read-index query, it is true as of that query. */
  isMarked(id: EntryId, mark: number): boolean {
    return this.#entries.get(id)?.mark === mark
  }

  /**
   * Returns a page of entries after an id, by id, of one revision. `read` reads it from the store if it is not cached.
   */
  async page(after: EntryId | null, limit: number, read: () => Promise<EntryPage>): Promise<EntryPage> {
    if (this.#pages.covers(after)) {
      await this.head()
      const cached = this.#pages.page(after, limit, this.#through)
      if (cached !== null) return cached
    }
    const found = await read()
    this.#pages.add(after, found, this.#through)
    return found
  }

  /** Drops everything cached, because the store may continue another history. */
  clear(): void {
    this.#entries.clear()
    this.#pages.clear()
    this.#through = 0
  }

  /** Answers a request after its read-index query. */
  #answer(request: EntryRequest): void {
    const cached = this.#entries.get(request.id)
    if (cached === undefined) this.#readOne(request)
    else request.onResult(cached.entry && withoutParsedCache(cached.entry), cached.entry && cached.mark)
  }

  #readOne({ id, onResult, onError }: EntryRequest): void {
    this.#misses.add(
      [id],
      1,
      0,
      ({ revision, entries }) => {
        const entry = entries.get(id) ?? null
        this.#cache(id, entry, revision)
        onResult(entry, null)
      },
      onError,
    )
  }

  /** Returns cached entries that are all valid at one revision, at or above `revision`. Null if there is no such revision. */
  #cachedAt(ids: readonly EntryId[], revision: number): Map<EntryId, EntryRevision> | null {
    const found = new Map<EntryId, EntryRevision>()
    /** Each entry is valid from its `since` to its `until`. All of them are valid where these ranges overlap. */
    let since = revision
    let until = Infinity
    for (const id of ids) {
      const cached = this.#entries.get(id)
      if (cached === undefined) return null
      until = Math.min(until, Math.max(this.#through, cached.at))
      since = Math.max(since, cached.entry === null ? cached.at : cached.entry.revision)
      if (cached.entry !== null) found.set(id, withoutParsedCache(cached.entry))
    }
    return since <= until ? found : null
  }

  async #queryReadIndex(): Promise<Head> {
    const since = this.#entries.size === 0 && this.#pages.bytes === 0 ? NO_CHANGES : this.#through
    const result = await this.reader.readIndex(since, MAX_CHANGES)
    this.#advance(since === NO_CHANGES ? { ...result, changed: null } : result)
    return result.head
  }

  /**
   * Brings the cache up to the head. Queries run one after another, so each reports the changes since the previous one.
   */
  #advance({ head: { revision }, changed }: ReadIndexResult): void {
    // The store went back, as a restored database does. The cache may contain states that never existed.
    if (revision < this.#through) this.clear()
    this.#through = revision
    this.#pages.advance(revision, changed)
    if (changed === null) {
      for (const id of [...this.#entries.keys()]) if (this.#entries.peek(id)!.at < revision) this.#entries.delete(id)
      return
    }
    for (const [id, entry] of changed) {
      const cached = this.#entries.peek(id)
      if (cached === undefined || cached.at >= revision) continue
      if (entry === null) this.#entries.delete(id)
      else this.#entries.set(id, { entry, at: revision, mark: ++this.#marks })
    }
  }

  /**
   * Caches an entry, unless it was read before the last query. It may have changed since, and the query that reported
   * the change is over.
   */
  #cache(id: EntryId, entry: EntryRevision | null, at: number): void {
    if (at >= this.#through && at >= (this.#entries.peek(id)?.at ?? 0))
      this.#entries.set(id, { entry: entry && withoutParsedCache(entry), at, mark: ++this.#marks })
  }
}

function cachedBytes({ entry }: CachedEntry, id: EntryId): number {
  return 300 + 2 * (id.length + entryBytes(entry))
}
