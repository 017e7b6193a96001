import { partitionPoint } from '../../core/algorithms/partition-point.js'
import type { HistoryReader, LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { changeBytes } from '../../store/planning/content-size.js'
import { comparePositions } from './log-position.js'
import { PageLimit } from './page-limit.js'

/** @bound Size of the log pages that followers share while they catch up. */
const PAGES_BYTES = 16 * 1024 * 1024
/**
 * @bound Time that a shared log page is cached after its last read. Clients that reconnect together do so within
 * seconds.
 */
const CACHED_MS = 5_000
/** How many pages before a position are checked for one that reaches beyond it. */
const PAGES_BACK = 8
/**
 * A follower waits for a read in flight that begins at most this many revisions before it. The first pages are short,
 * until the size of changes is known.
 */
const NEAR_REVISIONS = 1_000
/** @bound Reads of others for which a follower that catches up waits before it reads by itself. */
const MAX_WAITS = 8

/** A range of the log: everything after `after` up to `page.upTo`. */
interface CachedPage {
  readonly after: LogPosition
  readonly page: LogPage
  readonly bytes: number
}

/**
 * Caches pages of the log for followers that catch up. After a restart, a thousand followers reconnect with cursors
 * that are close together, each with its own filter. Each page is then read once for all followers within it.
 */
export class LogPageCache {
  /** Reads in flight. */
  readonly #reading = new Set<{ readonly after: LogPosition; readonly page: Promise<LogPage> }>()
  /** Ordered by their beginning. */
  #pages: CachedPage[] = []
  /** In the order in which they were read: the oldest is evicted first. */
  readonly #queue = new Set<CachedPage>()
  #bytes = 0
  #expiry: NodeJS.Timeout | null = null
  readonly #limit = new PageLimit()

  constructor(
    private readonly history: Pick<HistoryReader, 'log'>,
    /** Without `cachesPages` each follower reads the log by itself. */
    private readonly options: { readonly cachesPages: boolean } = { cachesPages: true },
  ) {}

  /**
   * Returns a page of the log with the changes after a position, if there are any. The page may begin before the
   * position, and the newest changes may be missing.
   */
  async read(after: LogPosition): Promise<LogPage> {
    for (let waits = 0; this.options.cachesPages; waits++) {
      const cached = this.#covering(after)
      if (cached !== null) return cached
      const near = waits < MAX_WAITS ? this.#nearby(after) : null
      if (near === null) break
      // Its error belongs to the followers that requested it. This follower then reads by itself.
      await near.catch(() => undefined)
    }
    return this.#read(after)
  }

  #read(after: LogPosition): Promise<LogPage> {
    const page = this.history.log(after, this.#limit.limit).then(
      (page) => {
        const bytes = page.changes.reduce((sum, change) => sum + changeBytes(change), 0)
        this.#reading.delete(reading)
        this.#limit.record(page.changes.length, bytes)
        if (this.options.cachesPages && page.transitions.length > 0)
          this.#add({ after, page, bytes: bytes + 200 * (1 + page.transitions.length) })
        return page
      },
      (error: unknown) => {
        this.#reading.delete(reading)
        this.#limit.halve()
        throw error
      },
    )
    const reading = { after, page }
    this.#reading.add(reading)
    return page
  }

  /** Returns a read in flight that may include the changes after a position. */
  #nearby(after: LogPosition): Promise<LogPage> | null {
    for (const { after: from, page } of this.#reading) {
      if (comparePositions(from, after) <= 0 && after.revision < from.revision + NEAR_REVISIONS) return page
    }
    return null
  }

  #covering(position: LogPosition): LogPage | null {
    const begun = this.#before(position)
    for (let at = begun - 1; at >= 0 && at >= begun - PAGES_BACK; at--) {
      const { page } = this.#pages[at]!
      if (comparePositions(position, page.upTo) < 0) return page
    }
    return null
  }

  /** Number of pages that begin at a position or before it. */
  #before(position: LogPosition): number {
    return partitionPoint(this.#pages, ({ after }) => comparePositions(after, position) <= 0)
  }

  #add(cached: CachedPage): void {
    if (cached.bytes > PAGES_BYTES / 2) return
    this.#pages.splice(this.#before(cached.after), 0, cached)
    this.#queue.add(cached)
    this.#bytes += cached.bytes
    for (const oldest of this.#queue) {
      if (this.#bytes <= PAGES_BYTES) break
      this.#queue.delete(oldest)
      this.#pages.splice(this.#pages.indexOf(oldest), 1)
      this.#bytes -= oldest.bytes
    }
    if (this.#expiry === null) this.#expiry = setTimeout(() => this.clear(), CACHED_MS).unref()
    else this.#expiry.refresh()
  }

  /** Drops all cached pages: some time after the last read, or because the store may continue another history. */
  clear(): void {
    if (this.#expiry !== null) clearTimeout(this.#expiry)
    this.#expiry = null
    this.#pages = []
    this.#queue.clear()
    this.#bytes = 0
  }
}
