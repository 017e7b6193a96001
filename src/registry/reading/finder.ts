import { LRUCache } from 'lru-cache'
import type { Criteria } from '../../core/criteria/criteria.js'
import { criteriaKey } from '../../core/criteria/criteria-key.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type {
  EntryOrder,
  EntryPage,
  EntryPosition,
  HistoryReader,
  Page,
  ReadAt,
} from '../../store/contract/history-reader.js'
import { entryBytes } from '../../store/planning/content-size.js'

/** @bound Size of the cache of found pages. */
const CACHE_BYTES = 32 * 1024 * 1024
/** @bound Size of the cache of counts, and of the revisions at which queries were last answered. */
const SMALL_CACHE_BYTES = 8 * 1024 * 1024

/** Hits and misses of the finder's cache since the start, and its size. */
export interface FinderCache {
  readonly hits: number
  readonly misses: number
  readonly results: number
  readonly bytes: number
}

/** Finds and counts entries, with a cache. */
export interface Finder {
  readonly cache: FinderCache
  findEntries(criteria: Criteria, order: EntryOrder, page: Page<EntryPosition>, at: ReadAt): Promise<EntryPage>
  countEntries(criteria: Criteria, at: ReadAt): Promise<number>
  /** Drops everything cached, because the store may continue another history. */
  clear(): void
}

/** Returns a page of all entries at the head, by id. `read` reads it from the store if it is not cached. */
export type HeadPage = (after: EntryId | null, limit: number, read: () => Promise<EntryPage>) => Promise<EntryPage>

function isWholeList(criteria: Criteria, order: EntryOrder, { before, fromEnd, limit }: Page<EntryPosition>): boolean {
  return (
    'all' in criteria && criteria.all.length === 0 && order === 'ID_ASC' && before === null && !fromEnd && limit > 0
  )
}

/**
 * Creates a finder that caches results by query and revision, because a result for a revision never changes. A query at
 * the head is answered from the cache only after a read-index query, so it sees every acknowledged write. A query
 * without a cached result skips the read-index query.
 */
export function createFinder(
  history: HistoryReader,
  head = () => history.head(),
  headPage: HeadPage | null = null,
  cacheBytes = CACHE_BYTES,
): Finder {
  const pages = new LRUCache<string, EntryPage>({ maxSize: cacheBytes, sizeCalculation: pageBytes })
  // The size is that of the key, because criteria may be long.
  const counts = new LRUCache<string, number>({ maxSize: SMALL_CACHE_BYTES, sizeCalculation: keyBytes })
  /** The newest revision at which a query at the head was answered. */
  const answeredAt = new LRUCache<string, number>({ maxSize: SMALL_CACHE_BYTES, sizeCalculation: keyBytes })

  /** Returns the revision at which a query at the head was answered, if the head is still there. */
  async function known(query: string): Promise<number | null> {
    const revision = answeredAt.get(query)
    return revision !== undefined && revision === (await head()).revision ? revision : null
  }

  let hits = 0
  let misses = 0
  function counted<Cached>(cached: Cached | undefined): Cached | undefined {
    if (cached === undefined) misses += 1
    else hits += 1
    return cached
  }

  return {
    get cache() {
      return { hits, misses, results: pages.size + counts.size, bytes: pages.calculatedSize + counts.calculatedSize }
    },

    clear() {
      for (const cache of [pages, counts, answeredAt]) cache.clear()
    },

    async findEntries(criteria, order, page, at) {
      if (headPage !== null && at === 'head' && isWholeList(criteria, order, page)) {
        let isRead = false
        const found = await headPage(page.after?.id ?? null, page.limit, () => {
          isRead = true
          return history.findEntries(criteria, order, page, at)
        })
        if (isRead) misses += 1
        else hits += 1
        return found
      }
      const query = JSON.stringify([criteriaKey(criteria), order, page])
      const revision = at === 'head' ? await known(query) : at
      const cached = counted(revision === null ? undefined : pages.get(`${revision} ${query}`))
      if (cached !== undefined) return cached
      const found = await history.findEntries(criteria, order, page, at)
      pages.set(`${found.revision} ${query}`, found)
      if (at === 'head') answeredAt.set(query, Math.max(found.revision, answeredAt.peek(query) ?? 0))
      return found
    },

    async countEntries(criteria, at) {
      // A count does not include its revision, so a count at the head is not cached.
      if (at === 'head') return history.countEntries(criteria, at)
      const query = `${at} ${criteriaKey(criteria)}`
      const cached = counted(counts.get(query))
      if (cached !== undefined) return cached
      const count = await history.countEntries(criteria, at)
      counts.set(query, count)
      return count
    },
  }
}

function pageBytes(page: EntryPage, key: string): number {
  return page.items.reduce((sum, entry) => sum + 2 * entryBytes(entry), 500 + 2 * key.length)
}

function keyBytes(_: number, key: string): number {
  return 200 + 2 * key.length
}
