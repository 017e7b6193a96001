import { LRUCache } from 'lru-cache'
import { criteriaKey } from '../core/criteria/criteria-key.js'
import type { Criteria } from '../core/criteria/criteria.js'
import type { EntryOrder, EntryPage, EntryPosition, HistoryReader, Page, ReadAt } from '../store/history.js'
import { entryBytes } from './page-limit.js'

const CACHE_BYTES = 32 * 1024 * 1024

export interface Finder {
  findEntries(criteria: Criteria, order: EntryOrder, page: Page<EntryPosition>, at: ReadAt): Promise<EntryPage>
  countEntries(criteria: Criteria, at: ReadAt): Promise<number>
}

/**
 * Results by (question, revision): what was true of a revision stays true. A question at the head is
 * answered from memory only after a look at where the head is, so a write that was acknowledged is seen;
 * a question that was never answered is not worth that look.
 */
export function createFinder(history: HistoryReader, cacheBytes = CACHE_BYTES): Finder {
  const pages = new LRUCache<string, EntryPage>({ maxSize: cacheBytes, sizeCalculation: pageBytes })
  const counts = new LRUCache<string, number>({ max: 10_000 })
  /** The newest revision that a question at the head was answered at. */
  const answeredAt = new LRUCache<string, number>({ max: 10_000 })

  /** Where a question at the head has been answered before: that revision, if it is still the head's. */
  async function known(question: string): Promise<number | null> {
    const revision = answeredAt.get(question)
    return revision !== undefined && revision === (await history.head()).revision ? revision : null
  }

  return {
    async findEntries(criteria, order, page, at) {
      const question = JSON.stringify([criteriaKey(criteria), order, page])
      const revision = at === 'head' ? await known(question) : at
      const cached = revision === null ? undefined : pages.get(`${revision} ${question}`)
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
      const cached = counts.get(question)
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
