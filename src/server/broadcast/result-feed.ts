import type { ExecutionResult } from 'graphql'
import { partitionPoint } from '../../core/algorithms/partition-point.js'
import { resultText } from '../../graphql/results/result-text.js'
import { comparePositions } from '../../registry/following/log-position.js'
import { isSyncedAt, type PositionTracker, type StreamPosition } from '../../registry/following/stream-position.js'
import { type FrameCache, ResultBatch, type SharedResult } from './result-batch.js'
import type { BufferOwner, ResultBufferBudget } from './result-buffer-budget.js'

/**
 * @bound Size of the results that a feed computes ahead of its foremost subscriber, so that concurrent changes are sent
 * together.
 */
const AHEAD_BYTES = 64 * 1024
/** A feed begins with this size and doubles it, because a new subscriber often joins another feed soon. */
const FIRST_AHEAD_BYTES = 1024
/** @bound Size of the results handed to one subscriber at once, unless a single result is larger. */
const AT_ONCE_BYTES = 64 * 1024
/** @bound Size of the results that a feed with a single subscriber keeps for others to join. */
const ALONE_BYTES = 1024 * 1024

/** A running subscription: its results, and the position of the latest one. */
export interface FeedSource {
  readonly results: AsyncIterator<ExecutionResult>
  readonly place: PositionTracker
}

/** Memory that all feeds share. */
export interface FeedMemory {
  readonly budget: ResultBufferBudget
  /** Null if frames are not cached. */
  readonly frames: FrameCache | null
}

/** A subscriber as its feed sees it. */
export interface FeedMember {
  /** Number of the result that it receives next. */
  readonly next: number
  /** Called after `wait`, when there is more or the feed has ended. */
  step(): void
  /** Sends at once the results for which it is queued. */
  takeSlice(): void
}

/**
 * Executes one subscription for several subscribers. Results are numbered, and the latest are buffered for slower
 * subscribers. The feed computes the next result only while a subscriber waits at the end.
 *
 *   results      ───────┬───┬───┬───┬───┐
 *   buffered           first           end
 *   subscribers   ▲ leaves       ▲ receives   ▲ waits
 */
export class ResultFeed {
  /** Position before the first buffered result. Null while that is not a position in the log. Nobody can join then. */
  start: StreamPosition | null
  first = 0
  readonly members = new Set<FeedMember>()
  /** Members that wait for their time slice to receive results. */
  readonly queued = new Set<FeedMember>()
  readonly #owner: BufferOwner = { buffer: this }
  #buffered: SharedResult[] = []
  #bufferedBytes = 0
  /** Results that were evicted before the budget requested it. */
  #evictedEarly = 0
  #waiting = new Set<FeedMember>()
  #isPulling = false
  #flushing: NodeJS.Immediate | null = null
  #ahead = 0
  #maxAhead = FIRST_AHEAD_BYTES
  /** Size of the results since the last cut. */
  #batchBytes = 0
  /** How the feed ended; null while it runs. */
  ended: { readonly error: unknown } | { readonly error?: never } | null = null

  /** Cleared at the end, because the budget still counts an ended feed's results and must not keep the source alive. */
  #source: FeedSource | null

  constructor(
    source: FeedSource,
    private readonly memory: FeedMemory,
  ) {
    this.#source = source
    this.start = source.place.from
  }

  get end(): number {
    return this.first + this.#buffered.length
  }

  /**
   * Whether a subscriber that has received everything up to the end of a revision can continue here with the same
   * results as in a feed of its own. Unless `isLogOnly`, results also show the current head. Then none may be older than
   * the subscriber itself (`since`).
   * @param needsNext - Requires that the subscriber's next result is buffered already
   */
  covers(at: StreamPosition, since: number, isLogOnly: boolean, needsNext = false): boolean {
    const { start } = this
    if (start === null || this.ended !== null || comparePositions(start.position, at.position) > 0) return false
    // A subscriber that has not received `synced` yet must receive it at its own target.
    if (isSyncedAt(at) ? start.target > at.position.revision : start.target !== at.target) return false
    const next = this.after(at)
    if (next < this.end) return isLogOnly || this.#buffered[next - this.first]!.begun >= since
    // A feed that is still catching up itself would delay all its subscribers.
    return !needsNext && comparePositions(this.#source?.place.scanned?.() ?? start.position, at.position) >= 0
  }

  /** Returns the number of the first result after a position. */
  after({ position }: StreamPosition): number {
    return this.first + partitionPoint(this.#buffered, ({ place }) => comparePositions(place!.position, position) <= 0)
  }

  /** Returns the results from a number up to the next cut. Cuts are the same for all, so that subscribers from different positions soon share batches. */
  from(next: number): ResultBatch {
    const begin = next - this.first
    let end = begin + 1
    while (end < this.#buffered.length && !this.#buffered[end]!.isCut) end++
    const first = this.#buffered[begin]!
    if (first.batch?.length !== end - begin)
      first.batch = new ResultBatch(this.#buffered.slice(begin, end), this.memory.frames)
    return first.batch
  }

  at(number: number): SharedResult {
    return this.#buffered[number - this.first]!
  }

  /** Calls the member's `step` when there is more. */
  wait(member: FeedMember): void {
    this.#waiting.add(member)
    this.#pull()
  }

  leave(member: FeedMember): void {
    this.members.delete(member)
    this.queued.delete(member)
    this.#waiting.delete(member)
    if (this.members.size > 0) return
    this.ended ??= {}
    this.#clear()
    this.#owner.buffer = null
    this.start = null
    void this.#source?.results.return?.()
    this.#source = null
  }

  #clear(): void {
    for (const { batch } of this.#buffered) batch?.evict()
    this.#buffered = []
  }

  /** Makes room in the budget. Delivers the result first to members that still need it. */
  evictOldest(): void {
    // A subscriber at the very beginning has no position yet, so it could not continue in another feed.
    if (this.#flushing !== null) {
      clearImmediate(this.#flushing)
      this.#flush()
    }
    if (this.#evictedEarly > 0) this.#evictedEarly -= 1
    else {
      // In a feed of its own, a queued member would lose the result again. With many members and a small budget, none would ever advance.
      for (const member of this.queued) if (member.next <= this.first) member.takeSlice()
      this.#evictFirst()
    }
  }

  #evictFirst(): void {
    const oldest = this.#buffered.shift()
    if (oldest === undefined) return
    this.first += 1
    this.start = oldest.place
    oldest.batch?.evict()
    this.#bufferedBytes -= oldest.text.length
  }

  #pull(): void {
    if (this.#isPulling || this.ended !== null || this.#source === null) return
    this.#isPulling = true
    const begun = performance.now()
    this.#source.results
      .next()
      .then((next) => {
        this.#isPulling = false
        if (next.done === true) this.#end({})
        else this.#append(next.value, begun)
      })
      .catch((error: unknown) => {
        this.#isPulling = false
        this.#end({ error })
      })
  }

  #append(value: ExecutionResult, begun: number): void {
    if (this.ended !== null || this.#source === null) return
    const place = this.#source.place.at
    const text = Buffer.from(resultText(value), 'utf8')
    // A result without a position is for the feed's only subscriber, which receives it now.
    if (place === null || this.start === null) {
      this.first = this.end
      this.#clear()
      this.start = null
    }
    const isCut = this.#batchBytes + text.length > AT_ONCE_BYTES
    this.#batchBytes = (isCut ? 0 : this.#batchBytes) + text.length
    this.#buffered.push({ text, place, begun, isCut, batch: null })
    this.#ahead += text.length
    this.#flushing ??= setImmediate(() => this.#flush())
    if (place !== null) {
      this.start ??= place
      this.#bufferedBytes += text.length
      if (this.members.size === 1) this.#evictReceived()
      this.memory.budget.add(this.#owner, text.length)
    }
    if (place !== null && this.#ahead < this.#maxAhead) this.#pull()
  }

  #evictReceived(): void {
    const [alone] = this.members
    const next = alone?.next ?? 0
    while (this.#bufferedBytes > ALONE_BYTES && this.first < next) {
      this.#evictedEarly += 1
      this.#evictFirst()
    }
  }

  #flush(): void {
    this.#flushing = null
    if (this.#ahead >= this.#maxAhead) this.#maxAhead = Math.min(AHEAD_BYTES, 2 * this.#maxAhead)
    this.#ahead = 0
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const member of waiting) member.step()
  }

  #end(how: NonNullable<ResultFeed['ended']>): void {
    this.ended ??= how
    this.#flushing ??= setImmediate(() => this.#flush())
  }
}
