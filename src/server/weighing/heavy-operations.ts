import { OperationTypeNode } from 'graphql'
import { createHeavyWork, type HeavyWork } from '../../graphql/loading/heavy-work.js'
import { pause } from '../../registry/async/pause.js'
import type { InFlightCounter } from '../pipeline/in-flight-counter.js'
import type { QueuedClient } from '../pipeline/queued-client.js'
import { requestError } from '../pipeline/request-error.js'
import { FairQueue, LeftQueue, QueueFull } from './fair-queue.js'

/** Weight from which an operation waits for its turn. One delta is heavy; a page of 1,000 entries is not. */
export const HEAVY_WEIGHT = 20_000
/** @bound Heavy operations that run at once, each of another client. */
const RUNNING = 2
/** @bound Heavy operations that wait for their turn. */
const WAITING = 256
/** @bound Heavy operations of one client that wait for their turn. */
const WAITING_OF_CLIENT = 64
/** The part of its own duration for which heavy work rests, so that the thread is free for others in between. */
const REST_SHARE = 0.5
/** Shorter work does not rest, because a timer waits for a millisecond at least. */
const SHORT_MS = 2
/** @bound Rest of heavy work while other operations are answered. */
const LONGEST_REST_MS = 50

const UNBOUNDED = { waiting: Number.POSITIVE_INFINITY, waitingOfGroup: Number.POSITIVE_INFINITY } as const
const NEVER = new AbortController().signal

/** Gives heavy operations their turns, and spreads their work. All others are never queued. */
export class HeavyOperations {
  readonly #queue: FairQueue
  readonly #events: FairQueue

  /** @param inFlight - Shows whether other operations are answered meanwhile. An idle gateway does not rest */
  constructor(private readonly inFlight: InFlightCounter) {
    const limits = { slots: RUNNING, waiting: WAITING, waitingOfGroup: WAITING_OF_CLIENT }
    this.#queue = new FairQueue({ ...limits, rest: this.#resting() })
    this.#events = new FairQueue({ ...UNBOUNDED, slots: 1, rest: this.#resting() })
  }

  get waiting(): number {
    return this.#queue.waiting
  }

  /**
   * Runs a heavy operation when it is its client's turn.
   * @param signal - Aborts when the answer is no longer awaited. Work that waits never begins then
   * @throws GraphQLError UNAVAILABLE if too many operations wait, and what `work` throws
   */
  async run<Result>(
    type: OperationTypeNode,
    client: QueuedClient,
    signal: AbortSignal,
    work: (heavy: HeavyWork) => Promise<Result>,
  ): Promise<Result> {
    // A mutation that has begun takes effect as a whole, whether or not its caller waits for it.
    const until = type === OperationTypeNode.MUTATION ? NEVER : signal
    try {
      return await this.#queue.run(client, signal, () => work(createHeavyWork(until, this.#resting())))
    } catch (error) {
      if (error instanceof QueueFull) throw error.isOwnGroup ? ownQueueFull() : queueFull()
      if (error instanceof LeftQueue) throw requestError('UNAVAILABLE', 'The operation was cancelled before it began.')
      throw error
    }
  }

  /**
   * Executes a heavy subscription for one event, one event of all such subscriptions at a time. Any number may wait,
   * because a subscription computes its next result only when it is awaited.
   * @param feed - Identifies the execution among others. They take turns
   */
  runEvent<Result>(feed: object, signal: AbortSignal, work: (heavy: HeavyWork) => Promise<Result>): Promise<Result> {
    return this.#events.run({ group: '', connection: feed }, signal, () =>
      work(createHeavyWork(signal, this.#resting())),
    )
  }

  #resting(): (ms: number) => Promise<void> | undefined {
    let seen = this.inFlight.begun
    return (ms) => {
      const isShared = this.inFlight.begun !== seen
      seen = this.inFlight.begun
      return isShared && ms >= SHORT_MS ? pause(Math.min(ms * REST_SHARE, LONGEST_REST_MS)) : undefined
    }
  }
}

function ownQueueFull() {
  const message = `${WAITING_OF_CLIENT} costly operations of yours wait already. Nothing was done. Wait for their answers before you send more.`
  return requestError('UNAVAILABLE', message)
}

function queueFull() {
  const message = `${WAITING} costly operations wait already. Nothing was done. Try again in a few seconds, or select less: deltas, dependency graphs and long lists are costly.`
  return requestError('UNAVAILABLE', message)
}
