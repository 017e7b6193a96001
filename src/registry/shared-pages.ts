import { LRUCache } from 'lru-cache'
import type { HistoryReader, LogPage, LogPosition } from '../store/history-reader.js'
import { changeBytes } from './page-limit.js'

const PAGES_BYTES = 8 * 1024 * 1024
/** Kept for so long after the last read: those who come back together do so within seconds. */
const KEPT_MS = 5_000

/**
 * Pages of the log for those who catch up. After a restart a thousand come back with a few cursors between them, each with its
 * own filter: they read the same pages within seconds, which are read once.
 */
export class SharedPages {
  readonly #reading = new Map<string, Promise<LogPage>>()
  readonly #kept = new LRUCache<string, LogPage>({
    maxSize: PAGES_BYTES, maxEntrySize: PAGES_BYTES / 2,
    sizeCalculation: ({ changes, transitions }) => changes.reduce((sum, change) => sum + changeBytes(change), 200 * (1 + transitions.length)),
  })
  #forgetting: NodeJS.Timeout | null = null

  constructor(private readonly history: Pick<HistoryReader, 'log'>) {}

  /** As the store's own `log`, for one who wants to get to the end of a revision: what has happened since may be left out. */
  read(after: LogPosition, limit: number, target: number): Promise<LogPage> {
    const key = `${after.revision}/${after.position}/${limit}`
    const kept = this.#kept.get(key)
    // One that ends with the log as it was hides what comes after it.
    if (kept !== undefined && (kept.upTo.revision < kept.head.revision || kept.upTo.revision >= target)) return Promise.resolve(kept)
    const begun = this.#reading.get(key)
    if (begun !== undefined) return begun
    const reading = this.history.log(after, limit).then((page) => {
      if (page.transitions.length > 0) this.#keep(key, page)
      return page
    }).finally(() => this.#reading.delete(key))
    this.#reading.set(key, reading)
    return reading
  }

  #keep(key: string, page: LogPage): void {
    this.#kept.set(key, page)
    if (this.#forgetting === null) this.#forgetting = setTimeout(() => {
      this.#forgetting = null
      this.#kept.clear()
    }, KEPT_MS).unref()
    else this.#forgetting.refresh()
  }
}
