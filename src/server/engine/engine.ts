import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql'
import { createYoga } from 'graphql-yoga'
import { createContext } from '../../graphql/base/request-context.js'
import { collectFields, fragmentsOf } from '../../graphql/compiled/collect-fields.js'
import { waitAtMost } from '../../registry/async/within-deadline.js'
import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { ProviderDirectory } from '../../registry/plugins/providers.js'
import type { Registry } from '../../registry/registry.js'
import type { Sources } from '../../sources/running/sources.js'
import { Broadcasts } from '../broadcast/broadcasts.js'
import type { FeedSource } from '../broadcast/result-feed.js'
import { createFastPath, type FastPath } from '../fast-path/fast-path.js'
import type { Log } from '../observing/log.js'
import type { Metrics } from '../observing/metrics.js'
import { useDocumentCache } from '../pipeline/document-cache.js'
import { InFlightCounter } from '../pipeline/in-flight-counter.js'
import { useIntrospectionSwitch } from '../pipeline/introspection-switch.js'
import { createMaskError, type MaskError } from '../pipeline/mask-error.js'
import { useNodeLimit } from '../pipeline/node-limit.js'
import { withOperationDeadline } from '../pipeline/operation-deadline.js'
import { OPERATION_LIMITS, type OperationLimits } from '../pipeline/operation-limits.js'
import {
  type Caller,
  isStream,
  type OperationRequest,
  type PreparedOperation,
  type ResultStream,
} from '../pipeline/operation-request.js'
import { requestError } from '../pipeline/request-error.js'
import { useGraphQLJs } from './graphql-js.js'

export interface EngineOptions {
  readonly schema: GraphQLSchema
  readonly registry: Registry
  readonly providers?: ProviderDirectory
  readonly sources?: Sources
  readonly log: Log
  readonly metrics: Metrics
  readonly introspection: boolean
  readonly limits?: OperationLimits
  /** What is kept of results for clients that are not quite up with the others. */
  readonly resultBufferBytes?: number
}

export interface Engine {
  readonly schema: GraphQLSchema
  readonly mask: MaskError
  /** Resolves when no query and no mutation runs, or after `ms`. */
  idle(ms: number): Promise<void>
  readonly write: FastPath['write']
  readonly tellEntry: FastPath['tellEntry']
  readonly again: FastPath['again']
  /** Parses, validates and holds to the limits; what is wrong comes as errors with a code. */
  prepare(request: OperationRequest, caller: Caller): PreparedOperation | { readonly errors: readonly GraphQLError[] }
}

/** GraphQL without a transport: the same plugins, whichever way an operation comes in. */
export function createEngine(options: EngineOptions): Engine {
  const { schema, registry, log, metrics, limits = OPERATION_LIMITS } = options
  const mask = createMaskError(log)
  const yoga = createYoga({
    schema,
    plugins: [
      useGraphQLJs(),
      useDocumentCache(limits),
      useIntrospectionSwitch(options.introspection),
      useNodeLimit(limits),
    ],
    maskedErrors: { maskError: mask },
    parserAndValidationCache: false,
    graphiql: false,
    landingPage: false,
    cors: false,
    logging: false,
  })

  const offered = {
    registry,
    ...(options.providers && { providers: options.providers }),
    ...(options.sources && { sources: options.sources }),
  }
  const inFlight = new InFlightCounter()
  const broadcasts = new Broadcasts(schema, {
    ...(options.resultBufferBytes !== undefined && { bufferBytes: options.resultBufferBytes }),
  })
  const thin = createFastPath({
    schema,
    offered,
    mask,
    metrics,
    limits,
    inFlight,
    checked(query, operationName) {
      const prepared = engine.prepare({ query, operationName, variables: {} }, { author: null, signal: NEVER })
      return 'errors' in prepared ? null : prepared.document
    },
  })

  const engine: Engine = {
    schema,
    mask,
    ...thin,
    async idle(ms) {
      const until = performance.now() + ms
      while (inFlight.count > 0 && performance.now() < until) {
        await waitAtMost(until - performance.now(), inFlight.ended())
      }
    },
    prepare({ query, operationName, variables }, caller) {
      const ending = new AbortController()
      const context = createContext({ ...offered, author: caller.author, signal: ending.signal })
      const enveloped = yoga.getEnveloped(context)
      const { parse, validate } = enveloped
      let document: DocumentNode
      try {
        document = parse(query) as DocumentNode
        const errors = validate(schema, document) as readonly GraphQLError[]
        if (errors.length > 0) return { errors: errors.map(validationError) }
      } catch (error) {
        return { errors: [mask(error)] }
      }
      const operation = getOperationAST(document, operationName)
      if (operation === null || operation === undefined) {
        const message =
          operationName === null
            ? 'the document holds several operations, or none; name one in operationName'
            : `the document holds no operation "${operationName}"`
        return { errors: [requestError('BAD_USER_INPUT', message)] }
      }
      const type = operation.operation
      if (type === OperationTypeNode.SUBSCRIPTION && selectsNothing(schema, document, operation)) {
        return {
          errors: [
            requestError(
              'GRAPHQL_VALIDATION_FAILED',
              "a subscription has one field, and @skip or @include takes away this one's",
            ),
          ],
        }
      }

      async function run(
        { execute, subscribe, contextFactory }: typeof enveloped,
        stop: AbortController,
      ): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
        const args = {
          schema,
          document,
          operationName,
          variableValues: variables,
          contextValue: await contextFactory(),
        }
        const running = async () =>
          (type === OperationTypeNode.SUBSCRIPTION ? subscribe(args) : execute(args)) as Promise<
            ExecutionResult | ResultStream
          >
        return withOperationDeadline(running(), type, limits, stop)
      }

      /** The same subscription anew, from a place; it is nobody's in particular. */
      function open(from: StreamPosition): FeedSource {
        const stop = new AbortController()
        const again = createContext({ ...offered, author: null, signal: stop.signal, from })
        return { place: again.tracker, results: opening(run(yoga.getEnveloped(again), stop), mask, stop) }
      }

      async function start(): Promise<ExecutionResult | ResultStream> {
        const letGo = linked(caller.signal, ending)
        const ended = metrics.operationStarted(type)
        const since = performance.now()
        const answered = run(enveloped, ending).catch((error: unknown): ExecutionResult => ({ errors: [mask(error)] }))
        inFlight.begin()
        const result = await answered
        inFlight.end()
        letGo()
        if (!isStream(result)) {
          ended(result)
          return result
        }
        return broadcasts.stream(
          { document, operation: operation!, operationName, variables },
          {
            source: { results: closing(result, mask, ending), place: context.tracker },
            open,
            since,
            signal: caller.signal,
            mask,
            onEnd: withoutResult(ended),
          },
        )
      }
      return { document, type, start }
    },
  }
  return engine
}

/** A function of its own: within `prepare` it would keep alive all that is there. */
function withoutResult(ended: (result: null) => void): () => void {
  return () => ended(null)
}

/** Of preparing alone, which waits for nothing. */
const NEVER = new AbortController().signal

const NO_CONDITIONS = new Map<string, boolean>()

/** Graphql-js looks at the first field without asking whether there is one. Conditions by variables do not pass validation here. */
function selectsNothing(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const selections = { schema, fragments: fragmentsOf(document), conditions: NO_CONDITIONS }
  return collectFields(selections, schema.getSubscriptionType()!, [operation.selectionSet]).size === 0
}

/** Yoga writes its own notes for HTTP into an error's extensions, which are no client's business. */
function validationError({ message, nodes, source, positions }: GraphQLError): GraphQLError {
  const place = nodes === undefined ? { source: source ?? null, positions: positions ?? null } : { nodes }
  return new GraphQLError(message, { ...place, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })
}

/** Aborts with a caller; call what is returned to part again. */
function linked(signal: AbortSignal, ending: AbortController): () => void {
  const abort = () => ending.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/** A stream that masks what it throws and aborts what stands behind it as soon as it is over. */
function closing(
  stream: AsyncIterableIterator<ExecutionResult>,
  mask: MaskError,
  ending: AbortController,
): AsyncIterableIterator<ExecutionResult> {
  const end = () => ending.abort('the stream has ended')
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        const result = await stream.next()
        if (result.done === true) end()
        return result
      } catch (error) {
        end()
        throw mask(error)
      }
    },
    async return() {
      // Aborts first: who waits for the next event is woken by it.
      end()
      await stream.return?.()
      return { done: true, value: undefined }
    },
  }
}

/** The stream that is being opened. */
function opening(
  begun: Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>,
  mask: MaskError,
  ending: AbortController,
): AsyncIterableIterator<ExecutionResult> {
  const stream = begun.then((result) => {
    if (isStream(result)) return closing(result, mask, ending)
    throw result.errors?.[0] ?? new Error('a subscription gave no stream')
  })
  // Who asks for results hears of it.
  stream.catch(() => undefined)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: async () => (await stream).next(),
    async return() {
      ending.abort('the stream has ended')
      await (await stream).return?.()
      return { done: true, value: undefined }
    },
  }
}
