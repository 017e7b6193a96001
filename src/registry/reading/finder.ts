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

/** How the cache has served since the start, and what it holds. */
export interface FinderCache {
  readonly hits: number
  readonly misses: number
  readonly results: number
  readonly bytes: number
}

export interface Finder {
  readonly cache: FinderCache
  findEntries(criteria: Criteria, order: EntryOrder, page: Page<EntryPosition>, at: ReadAt): Promise<EntryPage>
  countEntries(criteria: Criteria, at: ReadAt): Promise<number>
}

/** A page of all entries at the head, by id; `read` reads it where it is not kept. */
export type HeadPage = (after: EntryId | null, limit: number, read: () => Promise<EntryPage>) => Promise<EntryPage>

function isWholeList(criteria: Criteria, order: EntryOrder, { before, fromEnd, limit }: Page<EntryPosition>): boolean {
  return (
    'all' in criteria && criteria.all.length === 0 && order === 'ID_ASC' && before === null && !fromEnd && limit > 0
  )
}

/**
 * Results by (question, revision): what was true of a revision stays true. A question at the head is
 * answered from memory only after a look at where the head is, so a write that was acknowledged is seen;
 * a question that was never answered is not worth that look.
 */
export function createFinder(
  history: HistoryReader,
  head = () => history.head(),
  headPage: HeadPage | null = null,
  cacheBytes = CACHE_BYTES,
): Finder {
  const pages = new LRUCache<string, EntryPage>({ maxSize: cacheBytes, sizeCalculation: pageBytes })
  // Criteria may be long, so what is small by itself is bounded by its key.
  const counts = new LRUCache<string, number>({ maxSize: SMALL_CACHE_BYTES, sizeCalculation: keyBytes })
  /** The newest revision that a question at the head was answered at. */
  const answeredAt = new LRUCache<string, number>({ maxSize: SMALL_CACHE_BYTES, sizeCalculation: keyBytes })

  /** Where a question at the head has been answered before: that revision, if it is still the head's. */
  async function known(question: string): Promise<number | null> {
    const revision = answeredAt.get(question)
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
      const question = JSON.stringify([criteriaKey(criteria), order, page])
      const revision = at === 'head' ? await known(question) : at
      const cached = counted(revision === null ? undefined : pages.get(`${revision} ${question}`))
      if (cached !== undefined) return cached
      const found = await history.findEntries(criteria, order, page, at)
      pages.set(`${found.revision} ${question}`, found)
      if (at === 'head') answeredAt.set(question, Math.max(found.revision, answeredAt.peek(question) ?? 0))
      return found
    },

    async countEntries(criteria, at) {
      // A count does not say which revision it was taken at, so at the head it is not remembered.
      if (at === 'head') return history.countEntries(criteria, at)
      const question = `${at} ${criteriaKey(criteria)}`
      const cached = counted(counts.get(question))
      if (cached !== undefined) return cached
      const count = await history.countEntries(criteria, at)
      counts.set(question, count)
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
