import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { ResultSink } from '../pipeline/operation-request.js'
import type { FairDelivery } from './fair-delivery.js'
import { type FeedMemory, type FeedSource, ResultFeed } from './result-feed.js'
import { type FeedSelector, Subscriber } from './subscriber.js'

export interface BroadcastOptions {
  /** Whether results depend on the log only, not on the head at the time of their computation. */
  readonly isLogOnly: boolean
  readonly memory: FeedMemory
  readonly delivery: FairDelivery
  /** Executes the subscription from a position on. */
  readonly open: (from: StreamPosition) => FeedSource
  /** Called when the last subscriber has left. */
  readonly onEmpty: () => void
}

/**
 * All subscriptions with the same document, variables and rights. Each begins with a feed of its own. As soon as it has
 * a position in the log, it joins an older feed that delivers the same results, and its own feed ends. So subscribers
 * that are up to date usually share one feed, and each subscriber that catches up has its own.
 */
export class Broadcast implements FeedSelector {
  /** In order of creation. */
  readonly #feeds = new Set<ResultFeed>()

  constructor(private readonly options: BroadcastOptions) {}

  /** Adds a client's running subscription. The subscriber's `ended` settles when it is over. */
  subscribe(source: FeedSource, sink: ResultSink, since: number): Subscriber {
    const subscriber = new Subscriber(this, this.#addFeed(source), sink, since)
    subscriber.step()
    return subscriber
  }

  maySend(): boolean {
    return this.options.delivery.maySend()
  }

  enqueue(subscriber: Subscriber): void {
    this.options.delivery.enqueue(subscriber)
  }

  /**
   * Prefers an older feed. If the subscriber waits in its own feed (`isWaiting`), any feed that has its next result is
   * better. So subscribers that catch up from different positions share results: a subscriber that reaches another's
   * starting point receives the results that were computed for the other one.
   */
  betterFeed(own: ResultFeed, at: StreamPosition, since: number, isWaiting: boolean): ResultFeed | null {
    let isOlder = true
    for (const feed of this.#feeds) {
      if (feed !== own) {
        if (feed.covers(at, since, this.options.isLogOnly, !isOlder)) return feed
      } else if (isWaiting) isOlder = false
      else return null
    }
    return null
  }

  feedFrom(place: StreamPosition, since: number): ResultFeed {
    if (place.position.position === Infinity) {
      for (const feed of this.#feeds) if (feed.covers(place, since, this.options.isLogOnly)) return feed
    }
    return this.#addFeed(this.options.open(place))
  }

  left(feed: ResultFeed): void {
    if (feed.members.size > 0) return
    this.#feeds.delete(feed)
    if (this.#feeds.size === 0) this.options.onEmpty()
  }

  #addFeed(source: FeedSource): ResultFeed {
    const feed = new ResultFeed(source, this.options.memory)
    this.#feeds.add(feed)
    return feed
  }
}
