import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { FairDelivery } from './fair-delivery.js'
import type { ResultBufferBudget } from './result-buffer-budget.js'
import { type FeedSource, ResultFeed } from './result-feed.js'
import type { ResultSink } from './shared-result.js'
import { Subscriber } from './subscriber.js'

/**
 * All subscriptions that ask the same, with the same rights. Each begins with a run of its own; where it has a place
 * in the log it goes over to an older run that would tell it the same, and its own is over. So most of the time there
 * is one run for all who are up with the log, and one for each of those who are not.
 */
export class Broadcast {
  /** The oldest first. */
  readonly #runs = new Set<ResultFeed>()

  constructor(
    private readonly options: {
      /** Whether results show nothing but what the log says: not how things are when they are worked out. */
      readonly timeless: boolean
      readonly window: ResultBufferBudget
      readonly turns: FairDelivery
      /** Executes the operation from a place on. */
      readonly open: (from: StreamPosition) => FeedSource
      /** Called when nobody is left. */
      readonly empty: () => void
    },
  ) {}

  get turns(): FairDelivery {
    return this.options.turns
  }

  /** A client's subscription, which has begun. `ended` settles when it is over. */
  subscribe(source: FeedSource, sink: ResultSink, since: number): Subscriber {
    const subscriber = new Subscriber(this, this.#run(source), sink, since)
    subscriber.step()
    return subscriber
  }

  /**
   * A run in which a client may better go on from the end of a revision: an older one, or, where its own has nothing for it as
   * yet (`isWaiting`), any that has; null where its own is the one. So those who catch up from different places meet: who comes
   * to where another one began is handed what was worked out for that one.
   */
  betterRun(own: ResultFeed, at: StreamPosition, since: number, isWaiting: boolean): ResultFeed | null {
    let isOlder = true
    for (const run of this.#runs) {
      if (run !== own) {
        if (run.covers(at, since, this.options.timeless, !isOlder)) return run
      } else if (isWaiting) isOlder = false
      else return null
    }
    return null
  }

  /** A run to go on in from any place: a new one, where there is none. */
  runFrom(place: StreamPosition, since: number): ResultFeed {
    if (place.position.position === Infinity) {
      for (const run of this.#runs) if (run.covers(place, since, this.options.timeless)) return run
    }
    return this.#run(this.options.open(place))
  }

  /** A client has left a run. */
  left(run: ResultFeed): void {
    if (run.members.size > 0) return
    this.#runs.delete(run)
    if (this.#runs.size === 0) this.options.empty()
  }

  #run(source: FeedSource): ResultFeed {
    const run = new ResultFeed(source, this.options.window)
    this.#runs.add(run)
    return run
  }
}
