import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { MaskError } from '../pipeline/mask-error.js'
import type { ResultStream } from '../pipeline/operation-request.js'
import { Broadcast } from './broadcast.js'
import { FairDelivery } from './fair-delivery.js'
import { operationKey, type SubscriptionShape, subscriptionShape } from './operation-key.js'
import type { ResultBufferBudget } from './result-buffer-budget.js'
import type { FeedSource } from './result-feed.js'
import type { ResultSink } from './shared-result.js'
import type { Subscriber } from './subscriber.js'

/** A subscription that has been let in. */
export interface StartedSubscription {
  readonly source: FeedSource & { readonly results: AsyncIterableIterator<unknown> }
  /** The same operation anew, from a place on. */
  readonly open: (from: StreamPosition) => FeedSource
  /** When it began, by `performance.now()`. */
  readonly since: number
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal
  /** Called once, when it is over. */
  readonly over: () => void
  readonly mask: MaskError
}

/**
 * Which subscriptions are the same: one document, the same variables but for those that say where to begin, and the
 * same rights. Everybody has all rights as yet, and the author, which is only what a client says of itself, is nothing
 * that reading depends on; where rights are, they belong into the key.
 */
export class Broadcasts {
  readonly #forms = new WeakMap<OperationDefinitionNode, SubscriptionShape>()
  readonly #turns = new FairDelivery()
  readonly #operations = new WeakMap<DocumentNode, Map<string, Broadcast>>()

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly window: ResultBufferBudget,
  ) {}

  /** A subscription's results, to be asked for one by one or delivered. */
  stream(
    asked: {
      document: DocumentNode
      operation: OperationDefinitionNode
      operationName: string | null
      variables: Readonly<Record<string, unknown>>
    },
    begun: StartedSubscription,
  ): ResultStream {
    const { signal, over, mask } = begun
    // Let go of when it has been handed on: it keeps alive all that opening it took, which is 10 KB for each who follows.
    let own: { readonly asked: typeof asked; readonly begun: StartedSubscription } | null = { asked, begun }
    let subscriber: Subscriber | null = null
    let open = true
    const results = () => own?.begun.source.results as AsyncIterableIterator<ExecutionResult> | undefined
    const end = () => {
      if (!open) return
      open = false
      signal.removeEventListener('abort', stop)
      over()
    }
    const stop = () => {
      end()
      if (subscriber === null) void results()?.return?.()
      else subscriber.end()
    }
    const subscribe = (sink: ResultSink): Subscriber => {
      const { asked, begun } = own!
      own = null
      return this.#operation(asked, begun).subscribe(begun.source, sink, begun.since)
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
        if (!open) return
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

  #operation(
    { document, operation, operationName, variables }: Parameters<Broadcasts['stream']>[0],
    { open }: StartedSubscription,
  ): Broadcast {
    let form = this.#forms.get(operation)
    if (form === undefined) this.#forms.set(operation, (form = subscriptionShape(this.schema, document, operation)))
    let operations = this.#operations.get(document)
    if (operations === undefined) this.#operations.set(document, (operations = new Map()))
    const key = operationKey(form, operationName, variables)
    let shared = operations.get(key)
    if (shared === undefined) {
      const { window } = this
      const made = new Broadcast({
        timeless: form.timeless,
        window,
        turns: this.#turns,
        open,
        empty: () => {
          if (operations.get(key) === made) operations.delete(key)
        },
      })
      operations.set(key, (shared = made))
    }
    return shared
  }
}
