import { partitionPoint } from '../../core/entry/partition-point.js'
import type { HistoryWatcher } from '../../store/contract/history.js'
import type { HistoryReader, LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { changeBytes } from '../../store/planning/content-size.js'
import { pause } from '../async/pause.js'
import { isTransient, retryDelay } from '../async/retry-while-unavailable.js'
import { FollowerIndex, type IndexedFollower, type SkipPoint, type WakeReason } from './follower-index.js'
import type { IndexKey } from './index-key.js'
import { comparePositions } from './log-position.js'
import { changesFor } from './page-index.js'
import { PageLimit } from './page-limit.js'
import { restOfPage } from './rest-of-page.js'

export interface LogTailOptions {
  /** How much of the log's recent end is kept for those who are not quite up with it. */
  readonly windowBytes: number
  /** A wake-up may be lost: look at the log at least this often while anybody follows. */
  readonly backstopMs: number
  /** How long followers may be passed by what does not concern them until they are told; 5 seconds unless given. */
  readonly progressMs?: number
}

/** One who follows. */
export interface TailSubscription {
  /** What comes after a position: a page, `behind` where the store must be asked, `ahead` where there is nothing yet. */
  after(position: LogPosition): LogPage | 'behind' | 'ahead'
  /** Waits at the end of what has been read for something that may concern it (see `FollowerIndex.wait`). */
  advanced(signal: AbortSignal, isEager: boolean, ms: number | null): Promise<WakeReason>
  /** While it waits and nothing that may concern it has happened: how far that is. */
  passed(): SkipPoint | null
  leave(): void
}

export const LOG_TAIL_OPTIONS: LogTailOptions = {
  /** @bound Size of the live window on the log. */
  windowBytes: 16 * 1024 * 1024,
  /** @bound Interval at which the log is read without a notification. */
  backstopMs: 30_000,
}

/** A stretch of the log: everything after `after` up to `page.upTo`. */
interface Chunk {
  readonly after: LogPosition
  readonly page: LogPage
  readonly bytes: number
}

/**
 * Reads the log once for all who follow it live. It keeps a window on the log's recent end; who stands
 * before the window reads from the store until they have caught up, so a slow one costs nothing here.
 *
 *   log     ───────────────┬────────┬───┬──────┐
 *   window                 start             end     a wake-up reads on from `end`, once
 *   followers      ▲ behind     ▲ in it         ▲ ahead: they wait, and it wakes those whom it may concern
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
  readonly #seats: FollowerIndex
  readonly #limit = new PageLimit()

  constructor(
    private readonly history: Pick<HistoryReader, 'log'> & HistoryWatcher,
    private readonly options: LogTailOptions = LOG_TAIL_OPTIONS,
  ) {
    this.#seats = new FollowerIndex(options.progressMs ?? PROGRESS_MS, () => this.#passed())
  }

  /** Counts a follower in until it leaves. Nothing is read while there is none. */
  join(interest: IndexKey | null): TailSubscription {
    this.#followers += 1
    const seat: IndexedFollower = this.#seats.add(interest)
    let joined = true
    return {
      after: (position) => this.#after(position, interest),
      advanced: (signal, isEager, ms) => this.#seats.wait(seat, signal, isEager, ms),
      passed: () => (this.#seats.isQuiet(seat) ? this.#passed() : null),
      leave: () => {
        if (!joined) return
        joined = false
        this.#seats.remove(seat)
        this.#followers -= 1
        if (this.#followers === 0) this.#rest()
      },
    }
  }

  /** A follower stands here and would rather be told than ask: read on from there, unless reading is further already. */
  readFrom(position: LogPosition): void {
    if (this.#end === null) this.#begin(position)
    else if (comparePositions(position, this.#end) > 0) this.#wake()
  }

  #after(position: LogPosition, interest: IndexKey | null): LogPage | 'behind' | 'ahead' {
    if (this.#end === null) return 'behind'
    if (comparePositions(position, this.#end) >= 0) return 'ahead'
    const chunk = this.#chunks[this.#indexAfter(position)]
    if (chunk === undefined || comparePositions(position, chunk.after) < 0) return 'behind'
    const changes = changesFor(chunk.page, interest)
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
    // Something may have happened between the read that `position` comes from and the watching.
    this.#wake()
  }

  #rest(): void {
    const end = this.#passed()
    this.#stop?.abort()
    this.#stop = null
    this.#end = null
    this.#chunks = []
    this.#bytes = 0
    this.#seats.wakeAll(end)
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
          // Nobody waits for this call: those who follow ask the store themselves and meet the error there.
          this.#rest()
          continue
        }
        this.#again = true
        this.#limit.halve()
        await pause(retryDelay(failures++), stop.signal)
      }
    }
    this.#reading = false
  }

  /** Whether more is known to follow. */
  #append(after: LogPosition, page: LogPage): boolean {
    const moved = comparePositions(page.upTo, after) > 0
    if (moved) {
      const bytes = page.changes.reduce((sum, change) => sum + changeBytes(change), 200 * page.transitions.length)
      this.#limit.saw(page.changes.length, bytes)
      this.#chunks.push({ after, page, bytes })
      this.#bytes += bytes
      const before: SkipPoint = { position: after, version: this.#version }
      this.#end = page.upTo
      this.#version = page.transitions.at(-1)?.to ?? this.#version
      while (this.#bytes > this.options.windowBytes && this.#chunks.length > 1)
        this.#bytes -= this.#chunks.shift()!.bytes
      this.#seats.advance(page, before)
    }
    return moved && (page.upTo.revision < page.head.revision || page.upTo.position !== Infinity)
  }

  /** How far all have come whom nothing has woken. */
  #passed(): SkipPoint | null {
    return this.#end === null ? null : { position: this.#end, version: this.#version }
  }

  /** Index of the chunk that holds what comes right after a position. */
  #indexAfter(position: LogPosition): number {
    return partitionPoint(this.#chunks, ({ page }) => comparePositions(page.upTo, position) <= 0)
  }
}

/**
 * @bound Time after which a filtered stream reports its position. SPEC promises 10 seconds; half of that leaves room
 * for a busy process.
 */
export const PROGRESS_MS = 5_000
