import { partitionPoint } from '../../core/algorithms/partition-point.js'
import type { HistoryWatcher } from '../../store/contract/history.js'
import type { HistoryReader, LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { changeBytes } from '../../store/planning/content-size.js'
import { pause } from '../async/pause.js'
import { isTransient, retryDelay } from '../async/retry-while-unavailable.js'
import { FollowerIndex, type IndexedFollower, type SkipPoint, type WakeReason } from './follower-index.js'
import type { IndexKey } from './index-key.js'
import { comparePositions } from './log-position.js'
import { candidateChanges } from './page-index.js'
import { PageLimit } from './page-limit.js'
import { restOfPage } from './rest-of-page.js'

/** Bounds of the log tail. */
export interface LogTailOptions {
  /** Size of the window on the recent end of the log, in bytes. */
  readonly windowBytes: number
  /** Interval in milliseconds at which the log is read without a notification, because a notification may be lost. */
  readonly backstopMs: number
  /** Longest time in milliseconds for which followers skip pages without being woken. By default 5,000. */
  readonly progressMs?: number
}

/** A follower's access to the log tail. */
export interface TailSubscription {
  /**
   * Returns the changes after a position: a page, `behind` if the follower has to read the store, or `ahead` if there
   * is nothing yet.
   */
  after(position: LogPosition): LogPage | 'behind' | 'ahead'
  /** Waits for a page that may concern the follower (see `FollowerIndex.wait`). */
  advanced(signal: AbortSignal, isEager: boolean, ms: number | null): Promise<WakeReason>
  /** Returns how far the follower may skip while it waits. Null if it does not wait. */
  skippable(): SkipPoint | null
  leave(): void
}

export const LOG_TAIL_OPTIONS: LogTailOptions = {
  /** @bound Size of the live window on the log. */
  windowBytes: 16 * 1024 * 1024,
  /** @bound Interval at which the log is read without a notification. */
  backstopMs: 30_000,
}

/** A range of the log: everything after `after` up to `page.upTo`. */
interface Chunk {
  readonly after: LogPosition
  readonly page: LogPage
  readonly bytes: number
}

/**
 * Reads the log once for all live followers. It buffers a window on the recent end of the log. A follower before the window reads
 * from the store until it has caught up, so slow followers cost nothing here.
 *
 *   log     ───────────────┬────────┬───┬──────┐
 *   window                 start             end     a notification reads on from `end`, once
 *   followers      ▲ behind     ▲ inside        ▲ ahead: they wait, and a page wakes those that it may concern
 */
export class LogTail {
  #chunks: Chunk[] = []
  #bytes = 0
  #end: LogPosition | null = null
  /** The head at the end of the last revision that was read. */
  #version = 0
  #followers = 0
  #reading = false
  #again = false
  #stop: AbortController | null = null
  readonly #index: FollowerIndex
  readonly #limit = new PageLimit()

  constructor(
    private readonly history: Pick<HistoryReader, 'log'> & HistoryWatcher,
    private readonly options: LogTailOptions = LOG_TAIL_OPTIONS,
  ) {
    this.#index = new FollowerIndex(options.progressMs ?? PROGRESS_MS, () => this.#skipPoint())
  }

  /** Adds a follower until it leaves. Nothing is read while there are no followers. */
  join(indexKey: IndexKey | null): TailSubscription {
    this.#followers += 1
    const follower: IndexedFollower = this.#index.add(indexKey)
    let joined = true
    return {
      after: (position) => this.#after(position, indexKey),
      advanced: (signal, isEager, ms) => this.#index.wait(follower, signal, isEager, ms),
      skippable: () => this.#index.skippable(follower),
      leave: () => {
        if (!joined) return
        joined = false
        this.#index.remove(follower)
        this.#followers -= 1
        if (this.#followers === 0) this.#stopReading()
      },
    }
  }

  /** Continues reading from a follower's position, unless the tail is already further. */
  readFrom(position: LogPosition): void {
    if (this.#end === null) this.#begin(position)
    else if (comparePositions(position, this.#end) > 0) this.#wake()
  }

  #after(position: LogPosition, indexKey: IndexKey | null): LogPage | 'behind' | 'ahead' {
    if (this.#end === null) return 'behind'
    if (comparePositions(position, this.#end) >= 0) return 'ahead'
    const chunk = this.#chunks[this.#indexAfter(position)]
    if (chunk === undefined || comparePositions(position, chunk.after) < 0) return 'behind'
    const changes = candidateChanges(chunk.page, indexKey)
    return restOfPage(chunk.page, changes, position)
  }

  #begin(position: LogPosition): void {
    this.#end = position
    const stop = (this.#stop = new AbortController())
    const unwatch = this.history.onAdvance(() => this.#wake())
    const backstop = setInterval(() => this.#wake(), this.options.backstopMs)
    stop.signal.addEventListener('abort', () => {
      unwatch()
      clearInterval(backstop)
    })
    // Changes may have come between the read that `position` is from and the start of the watch.
    this.#wake()
  }

  #stopReading(): void {
    const end = this.#skipPoint()
    this.#stop?.abort()
    this.#stop = null
    this.#end = null
    this.#chunks = []
    this.#bytes = 0
    this.#index.wakeAll(end)
  }

  #wake(): void {
    this.#again = true
    if (!this.#reading) void this.#read()
  }

  async #read(): Promise<void> {
    this.#reading = true
    for (let failures = 0; this.#end !== null && this.#stop !== null && this.#again; ) {
      const stop = this.#stop
      const after: LogPosition = this.#end
      this.#again = false
      try {
        const page = await this.history.log(after, this.#limit.limit)
        failures = 0
        if (stop !== this.#stop) this.#again = true
        else if (this.#append(after, page)) this.#again = true
      } catch (error) {
        if (stop !== this.#stop) continue
        if (!isTransient(error)) {
          // No caller awaits this read. Followers read from the store by themselves and get the error there.
          this.#stopReading()
          continue
        }
        this.#again = true
        this.#limit.halve()
        await pause(retryDelay(failures++), stop.signal)
      }
    }
    this.#reading = false
  }

  /** Appends a page and returns whether more is known to follow. */
  #append(after: LogPosition, page: LogPage): boolean {
    const moved = comparePositions(page.upTo, after) > 0
    if (moved) {
      const bytes = page.changes.reduce((sum, change) => sum + changeBytes(change), 200 * page.transitions.length)
      this.#limit.record(page.changes.length, bytes)
      this.#chunks.push({ after, page, bytes })
      this.#bytes += bytes
      const before: SkipPoint = { position: after, version: this.#version }
      this.#end = page.upTo
      this.#version = page.transitions.at(-1)?.to ?? this.#version
      while (this.#bytes > this.options.windowBytes && this.#chunks.length > 1)
        this.#bytes -= this.#chunks.shift()!.bytes
      this.#index.advance(page, before)
    }
    return moved && (page.upTo.revision < page.head.revision || page.upTo.position !== Infinity)
  }

  /** The position to which all followers skip that nothing has woken. */
  #skipPoint(): SkipPoint | null {
    return this.#end === null ? null : { position: this.#end, version: this.#version }
  }

  /** Index of the chunk that holds the change right after a position. */
  #indexAfter(position: LogPosition): number {
    return partitionPoint(this.#chunks, ({ page }) => comparePositions(page.upTo, position) <= 0)
  }
}

/**
 * @bound Time after which a filtered stream reports its position. SPEC promises 10 seconds; half of that leaves room
 * for a busy process.
 */
export const PROGRESS_MS = 5_000
