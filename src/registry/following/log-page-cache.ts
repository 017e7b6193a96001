import { partitionPoint } from '../../core/entry/partition-point.js'
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
const KEPT_MS = 5_000
/** Pages that begin before a place, of which one may reach beyond it. */
const LOOKS_BACK = 8
/** Who is so few revisions behind what is being read waits for that: the first pages are short, until it is known how large changes are. */
const NEAR_REVISIONS = 1_000
const MOST_WAITS = 8

/** A stretch of the log: everything after `after` up to `page.upTo`. */
interface Kept {
  readonly after: LogPosition
  readonly page: LogPage
  readonly bytes: number
}

/**
 * Pages of the log for those who catch up. After a restart a thousand come back with a few cursors between them or with one
 * each, and each with its own filter: what they read lies close together, and each page is read once for all who stand in it.
 */
export class LogPageCache {
  /** Under way. */
  readonly #reading = new Set<{ readonly after: LogPosition; readonly page: Promise<LogPage> }>()
  /** By where they begin. */
  #kept: Kept[] = []
  /** In the order in which they were read. */
  readonly #queue = new Set<Kept>()
  #bytes = 0
  #forgetting: NodeJS.Timeout | null = null
  readonly #limit = new PageLimit()

  constructor(
    private readonly history: Pick<HistoryReader, 'log'>,
    /** Without `cachesPages` each follower reads the log by itself. */
    private readonly options: { readonly cachesPages: boolean } = { cachesPages: true },
  ) {}

  /** A page of the log that holds what comes after a place, if there is anything; it may begin before that. What has happened since may be left out. */
  async read(after: LogPosition): Promise<LogPage> {
    for (let waits = 0; this.options.cachesPages; waits++) {
      const kept = this.#covering(after)
      if (kept !== null) return kept
      const near = waits < MOST_WAITS ? this.#nearby(after) : null
      if (near === null) break
      // What it fails with is for those who asked for it; this one asks by itself.
      await near.catch(() => undefined)
    }
    return this.#read(after)
  }

  #read(after: LogPosition): Promise<LogPage> {
    const page = this.history.log(after, this.#limit.limit).then(
      (page) => {
        const bytes = page.changes.reduce((sum, change) => sum + changeBytes(change), 0)
        this.#reading.delete(reading)
        this.#limit.saw(page.changes.length, bytes)
        if (this.options.cachesPages && page.transitions.length > 0)
          this.#keep({ after, page, bytes: bytes + 200 * (1 + page.transitions.length) })
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

  /** One that is being read and may hold what comes after a place. */
  #nearby(after: LogPosition): Promise<LogPage> | null {
    for (const { after: from, page } of this.#reading) {
      if (comparePositions(from, after) <= 0 && after.revision < from.revision + NEAR_REVISIONS) return page
    }
    return null
  }

  #covering(position: LogPosition): LogPage | null {
    const begun = this.#before(position)
    for (let at = begun - 1; at >= 0 && at >= begun - LOOKS_BACK; at--) {
      const { page } = this.#kept[at]!
      if (comparePositions(position, page.upTo) < 0) return page
    }
    return null
  }

  /** How many begin at a place or before it. */
  #before(position: LogPosition): number {
    return partitionPoint(this.#kept, ({ after }) => comparePositions(after, position) <= 0)
  }

  #keep(kept: Kept): void {
    if (kept.bytes > PAGES_BYTES / 2) return
    this.#kept.splice(this.#before(kept.after), 0, kept)
    this.#queue.add(kept)
    this.#bytes += kept.bytes
    for (const oldest of this.#queue) {
      if (this.#bytes <= PAGES_BYTES) break
      this.#queue.delete(oldest)
      this.#kept.splice(this.#kept.indexOf(oldest), 1)
      this.#bytes -= oldest.bytes
    }
    if (this.#forgetting === null) this.#forgetting = setTimeout(() => this.#forget(), KEPT_MS).unref()
    else this.#forgetting.refresh()
  }

  #forget(): void {
    this.#forgetting = null
    this.#kept = []
    this.#queue.clear()
    this.#bytes = 0
  }
}
