import type { ExecutionResult } from 'graphql'
import { partitionPoint } from '../../core/entry/partition-point.js'
import { resultText } from '../../graphql/results/result-text.js'
import { comparePositions } from '../../registry/following/log-position.js'
import { isSyncedAt, type PositionTracker, type StreamPosition } from '../../registry/following/stream-position.js'
import { ResultBatch } from './result-batch.js'
import type { BufferOwner, ResultBufferBudget } from './result-buffer-budget.js'
import type { SharedResult } from './shared-result.js'
import type { Subscriber } from './subscriber.js'

/**
 * @bound Size of the results that a feed computes ahead of its foremost subscriber, so that concurrent changes are sent
 * together.
 */
const AHEAD_BYTES = 64 * 1024
/** So far at first, then twice as far each time: a client that can soon go over to another run has little worked out for it alone. */
const FIRST_AHEAD_BYTES = 1024
/** @bound Size of the results handed to one subscriber at once, unless a single result is larger. */
const AT_ONCE_BYTES = 64 * 1024

/** @bound Size of the results that a feed with a single subscriber keeps for others to join. */
const ALONE_BYTES = 1024 * 1024

/** What a run executes: results, one asked for after the other, and where each stands. */
export interface FeedSource {
  readonly results: AsyncIterator<ExecutionResult>
  readonly place: PositionTracker
}

/**
 * One operation executed once for several clients. Results are numbered; the last ones are kept for those who are not
 * quite up with it. The next is asked for only while some client stands at the end and waits.
 *
 *   results      ───────┬───┬───┬───┬───┐
 *   kept               first            end
 *   subscribers   ▲ on its own   ▲ takes   ▲ waits
 */
export class ResultFeed {
  /** Where the first result that is kept begins; null while that is no place in the log, and nobody may join. */
  start: StreamPosition | null
  first = 0
  readonly members = new Set<Subscriber>()
  /** Members that wait for their turn to be handed what there is. */
  readonly queued = new Set<Subscriber>()
  readonly #keeper: BufferOwner = { run: this }
  #kept: SharedResult[] = []
  #keptBytes = 0
  /** Results that were let go before their turn. */
  #early = 0
  #waiting = new Set<Subscriber>()
  #pulling = false
  #flushing: NodeJS.Immediate | null = null
  #ahead = 0
  #mostAhead = FIRST_AHEAD_BYTES
  /** Since the last cut. */
  #stretchBytes = 0
  /** How it ended: null while it has not. */
  ended: { readonly error: unknown } | { readonly error?: never } | null = null

  /** Null once it is over: the window counts what an ended run has kept until its turn comes, and is to hold no more of it. */
  #source: FeedSource | null

  constructor(
    source: FeedSource,
    private readonly window: ResultBufferBudget,
  ) {
    this.#source = source
    this.start = source.place.from
  }

  get end(): number {
    return this.first + this.#kept.length
  }

  /**
   * Whether a client that has been told all up to the end of a revision may go on here and is told just what it would
   * be by itself. Where results also show the present (`timeless` is false), none is older than the client's own beginning.
   * `ready`: only where what it gets next is there already.
   */
  covers(at: StreamPosition, since: number, timeless: boolean, ready = false): boolean {
    const { start } = this
    if (start === null || this.ended !== null || comparePositions(start.position, at.position) > 0) return false
    // Who has not heard `synced` yet must hear it where it is due.
    if (isSyncedAt(at) ? start.target > at.position.revision : start.target !== at.target) return false
    const next = this.after(at)
    if (next < this.end) return timeless || this.#kept[next - this.first]!.begun >= since
    // One that is itself catching up would make everybody wait.
    return !ready && comparePositions(this.#source?.place.scanned?.() ?? start.position, at.position) >= 0
  }

  /** Number of the first result that comes after a place. */
  after({ position }: StreamPosition): number {
    return this.first + partitionPoint(this.#kept, ({ place }) => comparePositions(place!.position, position) <= 0)
  }

  /** The results from a number on up to the next cut: so those who come from different places soon go in step, and share frames. */
  from(next: number): ResultBatch {
    const begin = next - this.first
    let end = begin + 1
    while (end < this.#kept.length && !this.#kept[end]!.isCut) end++
    const first = this.#kept[begin]!
    if (first.stretch?.length !== end - begin)
      first.stretch = new ResultBatch(this.#kept.slice(begin, end), this.window.frames)
    return first.stretch
  }

  at(number: number): SharedResult {
    return this.#kept[number - this.first]!
  }

  /** A client has taken everything: it is told when there is more. */
  wait(subscriber: Subscriber): void {
    this.#waiting.add(subscriber)
    this.#pull()
  }

  leave(subscriber: Subscriber): void {
    this.members.delete(subscriber)
    this.queued.delete(subscriber)
    this.#waiting.delete(subscriber)
    if (this.members.size > 0) return
    this.ended ??= {}
    this.#letGo()
    this.#keeper.run = null
    this.start = null
    void this.#source?.results.return?.()
    this.#source = null
  }

  #letGo(): void {
    for (const { stretch } of this.#kept) stretch?.forget()
    this.#kept = []
  }

  dropOldest(): void {
    // Who waits for it has it sent first: a client at the very beginning could not go on from anywhere else.
    if (this.#flushing !== null) {
      clearImmediate(this.#flushing)
      this.#flush()
    }
    if (this.#early > 0) this.#early -= 1
    else {
      // In a run of its own it would come to the same: where many wait for their turns and little is kept, nobody would ever get on.
      for (const subscriber of this.queued) if (subscriber.next <= this.first) subscriber.takeTurn()
      this.#drop()
    }
  }

  #drop(): void {
    const oldest = this.#kept.shift()
    if (oldest === undefined) return
    this.first += 1
    this.start = oldest.place
    oldest.stretch?.forget()
    this.#keptBytes -= oldest.text.length
  }

  #pull(): void {
    if (this.#pulling || this.ended !== null || this.#source === null) return
    this.#pulling = true
    const begun = performance.now()
    this.#source.results
      .next()
      .then((next) => {
        this.#pulling = false
        if (next.done === true) this.#end({})
        else this.#append(next.value, begun)
      })
      .catch((error: unknown) => {
        this.#pulling = false
        this.#end({ error })
      })
  }

  #append(value: ExecutionResult, begun: number): void {
    if (this.ended !== null || this.#source === null) return
    const place = this.#source.place.at
    const text = Buffer.from(resultText(value), 'utf8')
    // What has no place in the log is for its one client, who is taking it now.
    if (place === null || this.start === null) {
      this.first = this.end
      this.#letGo()
      this.start = null
    }
    const isCut = this.#stretchBytes + text.length > AT_ONCE_BYTES
    this.#stretchBytes = (isCut ? 0 : this.#stretchBytes) + text.length
    this.#kept.push({ text, place, begun, isCut, stretch: null })
    this.#ahead += text.length
    this.#flushing ??= setImmediate(() => this.#flush())
    if (place !== null) {
      this.start ??= place
      this.#keptBytes += text.length
      if (this.members.size === 1) this.#dropTaken()
      this.window.kept(this.#keeper, text.length)
    }
    if (place !== null && this.#ahead < this.#mostAhead) this.#pull()
  }

  #dropTaken(): void {
    const [alone] = this.members
    const next = alone?.next ?? 0
    while (this.#keptBytes > ALONE_BYTES && this.first < next) {
      this.#early += 1
      this.#drop()
    }
  }

  #flush(): void {
    this.#flushing = null
    if (this.#ahead >= this.#mostAhead) this.#mostAhead = Math.min(AHEAD_BYTES, 2 * this.#mostAhead)
    this.#ahead = 0
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const subscriber of waiting) subscriber.step()
  }

  #end(how: NonNullable<ResultFeed['ended']>): void {
    this.ended ??= how
    this.#flushing ??= setImmediate(() => this.#flush())
  }
}
