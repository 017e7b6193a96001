import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { StreamPlace } from '../registry/stream-place.js'
import type { ResultStream } from './engine.js'
import type { MaskError } from './mask-error.js'
import { operationKey, sharedForm, type SharedForm } from './operation-key.js'
import type { RunSource } from './result-run.js'
import type { ResultWindow } from './result-window.js'
import { SharedOperation } from './shared-operation.js'
import type { Subscriber } from './subscriber.js'

/** A subscription that has been let in. */
export interface BegunSubscription {
  readonly source: RunSource & { readonly results: AsyncIterableIterator<unknown> }
  /** The same operation anew, from a place on. */
  readonly open: (from: StreamPlace) => RunSource
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
export class SharedOperations {
  readonly #forms = new WeakMap<OperationDefinitionNode, SharedForm>()
  readonly #operations = new WeakMap<DocumentNode, Map<string, SharedOperation>>()

  constructor(private readonly schema: GraphQLSchema, private readonly window: ResultWindow) {}

  /** A subscription's results, to be asked for one by one or delivered. */
  stream(
    asked: { document: DocumentNode; operation: OperationDefinitionNode; operationName: string | null; variables: Readonly<Record<string, unknown>> },
    begun: BegunSubscription,
  ): ResultStream {
    const { results } = begun.source as RunSource & { results: ResultStream }
    let subscriber: Subscriber | null = null
    let open = true
    const end = () => {
      if (!open) return
      open = false
      begun.signal.removeEventListener('abort', stop)
      begun.over()
    }
    const stop = () => {
      end()
      if (subscriber === null) void results.return?.()
      else subscriber.end()
    }
    if (begun.signal.aborted) stop()
    else begun.signal.addEventListener('abort', stop, { once: true })

    return {
      [Symbol.asyncIterator]() {
        return this
      },
      async next() {
        try {
          const result = await results.next()
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
          subscriber = this.#operation(asked, begun).subscribe(begun.source, sink, begun.since)
          await subscriber.ended
        } catch (error) {
          throw begun.mask(error)
        } finally {
          end()
        }
      },
    }
  }

  #operation({ document, operation, operationName, variables }: Parameters<SharedOperations['stream']>[0], { open }: BegunSubscription): SharedOperation {
    let form = this.#forms.get(operation)
    if (form === undefined) this.#forms.set(operation, form = sharedForm(this.schema, document, operation))
    let operations = this.#operations.get(document)
    if (operations === undefined) this.#operations.set(document, operations = new Map())
    const key = operationKey(form, operationName, variables)
    let shared = operations.get(key)
    if (shared === undefined) {
      const { window } = this
      const made = new SharedOperation({ timeless: form.timeless, window, open, empty: () => { if (operations.get(key) === made) operations.delete(key) } })
      operations.set(key, shared = made)
    }
    return shared
  }
}
