import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { MaskError } from '../pipeline/mask-error.js'
import type { ResultSink, ResultStream } from '../pipeline/operation-request.js'
import { Broadcast } from './broadcast.js'
import { FairDelivery } from './fair-delivery.js'
import { operationKey, type SubscriptionShape, subscriptionShape } from './operation-key.js'
import { FrameCache } from './result-batch.js'
import { ResultBufferBudget } from './result-buffer-budget.js'
import type { FeedMemory, FeedSource } from './result-feed.js'
import type { Subscriber } from './subscriber.js'

/** A subscription as its client requested it. */
export interface SubscriptionRequest {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly operationName: string | null
  readonly variables: Readonly<Record<string, unknown>>
}

/** A subscription that runs. */
export interface StartedSubscription {
  readonly source: FeedSource & { readonly results: AsyncIterableIterator<unknown> }
  /** Executes the same subscription again, from a position on. */
  readonly open: (from: StreamPosition) => FeedSource
  /** When it began, by `performance.now()`. */
  readonly since: number
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
  /** Called once, at the end. */
  readonly onEnd: () => void
  readonly mask: MaskError
}

export interface BroadcastsOptions {
  /** Bytes of results that are buffered for slower subscribers. */
  readonly bufferBytes?: number
  /** By default, equal subscriptions share their results. */
  readonly sharesResults?: boolean
  /** By default, equal frames are written once. */
  readonly cachesFrames?: boolean
}

/**
 * Groups equal subscriptions into broadcasts: the same document, and the same variables except those that choose where
 * to begin. Today every client has all rights, and no read depends on the author. Once clients have different rights,
 * these have to be part of the key.
 */
export class Broadcasts {
  readonly #shapes = new WeakMap<OperationDefinitionNode, SubscriptionShape>()
  readonly #delivery = new FairDelivery()
  readonly #broadcasts = new WeakMap<DocumentNode, Map<string, Broadcast>>()
  readonly #memory: FeedMemory
  readonly #sharesResults: boolean

  constructor(
    private readonly schema: GraphQLSchema,
    { bufferBytes, sharesResults = true, cachesFrames = true }: BroadcastsOptions = {},
  ) {
    this.#memory = { budget: new ResultBufferBudget(bufferBytes), frames: cachesFrames ? new FrameCache() : null }
    this.#sharesResults = sharesResults
  }

  /** Returns a subscription's results, to be iterated by one client or delivered together with equal subscriptions. */
  stream(request: SubscriptionRequest, started: StartedSubscription): ResultStream {
    const { signal, onEnd, mask } = started
    // Cleared on delivery, because the data for starting a subscription takes 10 KB for each subscriber.
    let own: { readonly request: SubscriptionRequest; readonly started: StartedSubscription } | null = {
      request,
      started,
    }
    let subscriber: Subscriber | null = null
    let isOpen = true
    const results = () => own?.started.source.results as AsyncIterableIterator<ExecutionResult> | undefined
    const end = () => {
      if (!isOpen) return
      isOpen = false
      signal.removeEventListener('abort', stop)
      onEnd()
    }
    const stop = () => {
      end()
      if (subscriber === null) void results()?.return?.()
      else subscriber.end()
    }
    const subscribe = (sink: ResultSink): Subscriber => {
      const { request, started } = own!
      own = null
      return this.#broadcast(request, started).subscribe(started.source, sink, started.since)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })

    return {
      [Symbol.asyncIterator]() {
        return this
      },
      async next() {
        try {
          const result = (await results()?.next()) ?? { done: true, value: undefined }
          if (result.done === true) end()
          return result
        } catch (error) {
          end()
          throw error
        }
      },
      async return() {
        stop()
        return { done: true, value: undefined }
      },
      deliver: async (sink) => {
        if (!isOpen) return
        try {
          subscriber = subscribe(sink)
          await subscriber.ended
        } catch (error) {
          throw mask(error)
        } finally {
          end()
        }
      },
    }
  }

  #broadcast(request: SubscriptionRequest, { open }: StartedSubscription): Broadcast {
    const { document, operation, operationName, variables } = request
    let shape = this.#shapes.get(operation)
    if (shape === undefined) this.#shapes.set(operation, (shape = subscriptionShape(this.schema, document, operation)))
    const options = { isLogOnly: shape.isLogOnly, memory: this.#memory, delivery: this.#delivery, open }
    if (!this.#sharesResults) return new Broadcast({ ...options, onEmpty: () => undefined })

    let broadcasts = this.#broadcasts.get(document)
    if (broadcasts === undefined) this.#broadcasts.set(document, (broadcasts = new Map()))
    const key = operationKey(shape, operationName, variables)
    const known = broadcasts.get(key)
    if (known !== undefined) return known
    const added = new Broadcast({
      ...options,
      onEmpty: () => {
        if (broadcasts.get(key) === added) broadcasts.delete(key)
      },
    })
    broadcasts.set(key, added)
    return added
  }
}
