import { comparePositions } from '../../registry/following/log-position.js'
import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { ResultSink } from '../pipeline/operation-request.js'
import type { ResultFeed } from './result-feed.js'

/** Chooses the feed that a subscriber reads. */
export interface FeedSelector {
  /** Whether the subscriber may send now. If not, it queues itself. */
  maySend(): boolean
  /** Queues the subscriber for a time slice. */
  enqueue(subscriber: Subscriber): void
  /** Returns a better feed than the subscriber's own, or null if there is none. */
  betterFeed(own: ResultFeed, at: StreamPosition, since: number, isWaiting: boolean): ResultFeed | null
  /** Returns a feed that continues from any position. */
  feedFrom(place: StreamPosition, since: number): ResultFeed
  /** Called after the subscriber has left a feed. */
  left(feed: ResultFeed): void
}

/**
 * One client's subscription: a position in a feed, and a sink. It sends the next batch after the client's socket has
 * accepted the previous one, and buffers nothing itself. A subscriber that falls behind its feed's buffer continues in
 * a feed of its own until it has caught up.
 */
export class Subscriber {
  /** Position after the last result sent; null before a result that has a position in the log. */
  place: StreamPosition | null = null
  /** Number of the result that it receives next. */
  next: number
  /** Whether the feed it joined may still deliver results that it has received elsewhere. */
  #hasJoined = false
  #isBusy = false
  #isOver = false
  readonly ended: Promise<void>
  #resolve!: () => void
  #reject!: (error: unknown) => void

  /** @param since - When the subscription began, by `performance.now()` */
  constructor(
    private readonly feeds: FeedSelector,
    private feed: ResultFeed,
    private readonly sink: ResultSink,
    private readonly since: number,
  ) {
    this.next = feed.first
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    feed.members.add(this)
  }

  /** Sends the available results, queues for a time slice, or waits for more results. */
  step(): void {
    if (this.#isBusy) return
    this.#guarded(() => {
      if (!this.#hasNext()) return
      // Without a position, it can continue in this feed only. So it must not wait until its next result is evicted.
      if (this.place === null || this.feeds.maySend()) return this.#send()
      this.#isBusy = true
      this.feed.queued.add(this)
      this.feeds.enqueue(this)
    })
  }

  /** Called in its time slice, or earlier if its next result is about to be evicted. The later call then does nothing. */
  takeSlice(): void {
    if (!this.feed.queued.delete(this)) return
    this.#isBusy = false
    this.#guarded(() => {
      if (this.#hasNext()) this.#send()
    })
  }

  /** Leaves the feed and resolves `ended`. Idempotent. */
  end(): void {
    if (!this.#isOver) this.#finish()
  }

  #guarded(work: () => void): void {
    if (this.#isOver) return
    try {
      work()
    } catch (error) {
      this.#finish(error)
    }
  }

  /** Moves to the best feed. Returns whether that feed has a result for this subscriber. If not, it waits for one. */
  #hasNext(): boolean {
    const { place } = this
    if (place !== null && place.position.position === Infinity) {
      const better = this.feeds.betterFeed(this.feed, place, this.since, this.next >= this.feed.end)
      if (better !== null) this.#join(better, place)
    }
    if (this.next < this.feed.first) this.#join(this.feeds.feedFrom(place!, this.since), place!)
    if (this.#hasJoined) this.#skipReceived(place!)
    if (this.next < this.feed.end) return true
    const { ended } = this.feed
    if (ended === null) this.feed.wait(this)
    else this.#finish(ended.error)
    return false
  }

  #send(): void {
    const results = this.feed.from(this.next)
    this.next += results.length
    this.place = results.last.place
    this.#isBusy = true
    this.sink.send(results, this.#sent)
  }

  readonly #sent = (): void => {
    this.#isBusy = false
    this.step()
  }

  #join(feed: ResultFeed, place: StreamPosition): void {
    const left = this.feed
    this.feed = feed
    feed.members.add(this)
    this.next = feed.after(place)
    this.#hasJoined = true
    left.leave(this)
    this.feeds.left(left)
  }

  /** Skips results that it has received from another feed. */
  #skipReceived({ position }: StreamPosition): void {
    while (this.next < this.feed.end && comparePositions(this.feed.at(this.next).place!.position, position) <= 0)
      this.next += 1
    this.#hasJoined = this.next >= this.feed.end
  }

  #finish(error?: unknown): void {
    this.#isOver = true
    this.feed.leave(this)
    this.feeds.left(this.feed)
    if (error === undefined) this.#resolve()
    else this.#reject(error)
  }
}
