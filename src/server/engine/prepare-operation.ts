import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import { createContext, type RequestContextOptions } from '../../graphql/base/request-context.js'
import { collectFields, fragmentsOf } from '../../graphql/compiled/collect-fields.js'
import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { Broadcasts } from '../broadcast/broadcasts.js'
import type { FeedSource } from '../broadcast/result-feed.js'
import type { Metrics } from '../observing/metrics.js'
import type { InFlightCounter } from '../pipeline/in-flight-counter.js'
import type { MaskError } from '../pipeline/mask-error.js'
import { withOperationDeadline } from '../pipeline/operation-deadline.js'
import type { OperationLimits } from '../pipeline/operation-limits.js'
import {
  type Caller,
  isStream,
  type OperationRequest,
  type PreparedOperation,
  type ResultStream,
} from '../pipeline/operation-request.js'
import { requestError } from '../pipeline/request-error.js'
import { abortWith } from '../weighing/abort-with.js'
import { HEAVY_WEIGHT, type HeavyOperations } from '../weighing/heavy-operations.js'
import { operationWeight } from '../weighing/operation-weight.js'
import { maskedStream, startingStream } from './masked-stream.js'

export interface PrepareOptions {
  readonly schema: GraphQLSchema
  /** Services of the resolvers, in addition to the caller. */
  readonly services: Omit<RequestContextOptions, 'author' | 'signal' | 'from'>
  /** Yoga plugins that parse, validate, limit and execute operations. */
  readonly plugins: readonly Plugin[]
  readonly mask: MaskError
  readonly metrics: Metrics
  readonly limits: OperationLimits
  readonly inFlight: InFlightCounter
  readonly heavy: HeavyOperations
  readonly broadcasts: Broadcasts
}

/** Parses and validates a request and applies the limits. Returns the operation, or errors that have a code. */
export type PrepareOperation = (
  request: OperationRequest,
  caller: Caller,
) => PreparedOperation | { readonly errors: readonly GraphQLError[] }

/** Creates the path that can execute every operation: Yoga's plugin pipeline around graphql-js. */
export function createPrepareOperation(options: PrepareOptions): PrepareOperation {
  const { schema, services, plugins, mask, metrics, limits, inFlight, heavy, broadcasts } = options
  const yoga = createYoga({
    schema,
    plugins: [...plugins],
    maskedErrors: { maskError: mask },
    parserAndValidationCache: false,
    graphiql: false,
    landingPage: false,
    cors: false,
    logging: false,
  })

  return ({ query, operationName, variables }, caller) => {
    const stopping = new AbortController()
    const context = createContext({ ...services, author: caller.author, signal: stopping.signal })
    const enveloped = yoga.getEnveloped(context)
    let { answerSize } = context
    const { parse, validate } = enveloped
    let document: DocumentNode
    try {
      document = parse(query) as DocumentNode
      const errors = validate(schema, document) as readonly GraphQLError[]
      if (errors.length > 0) return { errors: errors.map((error) => mask(validationError(error))) }
    } catch (error) {
      return { errors: [mask(error)] }
    }
    const operation = getOperationAST(document, operationName)
    if (operation === null || operation === undefined)
      return { errors: [requestError('BAD_USER_INPUT', missingOperation(operationName))] }
    const type = operation.operation
    if (type === OperationTypeNode.SUBSCRIPTION && selectsNothing(schema, document, operation)) {
      const message = 'A subscription needs one field, and @skip or @include removes it.'
      return { errors: [requestError('GRAPHQL_VALIDATION_FAILED', message)] }
    }

    async function execution(
      given: typeof enveloped,
    ): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
      const contextValue = await given.contextFactory()
      const args = { schema, document, operationName, variableValues: variables, contextValue }
      const running = type === OperationTypeNode.SUBSCRIPTION ? given.subscribe(args) : given.execute(args)
      return running as Promise<ExecutionResult | ResultStream>
    }

    function run(given: typeof enveloped, stop: AbortController) {
      return withOperationDeadline(execution(given), type, limits, stop)
    }

    /** Executes the operation when it is its client's turn. The time until then counts. */
    function runInTurn() {
      const { signal } = stopping
      const running = heavy.run(type, caller.client(), signal, (work) => {
        const spread = createContext({ ...services, author: caller.author, signal, heavy: work })
        answerSize = spread.answerSize
        return execution(yoga.getEnveloped(spread))
      })
      return withOperationDeadline(running, type, limits, stopping)
    }

    function isHeavy(): boolean {
      if (type === OperationTypeNode.SUBSCRIPTION) return false
      const { total } = operationWeight(schema, document, operation!, variables)
      // A plugin refuses operations above the limit.
      return total >= HEAVY_WEIGHT && total <= limits.weight
    }

    /** Executes the same subscription again, from a position on, for no caller in particular. */
    function open(from: StreamPosition): FeedSource {
      const stop = new AbortController()
      const again = createContext({ ...services, author: null, signal: stop.signal, from })
      return { place: again.tracker, results: startingStream(run(yoga.getEnveloped(again), stop), mask, stop) }
    }

    async function start(): Promise<ExecutionResult | ResultStream> {
      const unlink = abortWith(caller.signal, stopping)
      const ended = metrics.operationStarted(type)
      const since = performance.now()
      const running = isHeavy() ? runInTurn() : run(enveloped, stopping)
      const answered = running.catch((error: unknown): ExecutionResult => ({ errors: [mask(error)] }))
      inFlight.begin()
      const result = await answered
      inFlight.end()
      unlink()
      if (!isStream(result)) {
        const error = answerSize.errorOf('')
        const sent = error === undefined ? result : { errors: [error], data: null }
        ended(sent)
        return sent
      }
      return broadcasts.stream(
        { document, operation: operation!, operationName, variables },
        {
          source: { results: maskedStream(result, mask, stopping), place: context.tracker },
          open,
          since,
          signal: caller.signal,
          mask,
          onEnd: withoutResult(ended),
        },
      )
    }
    return { document, type, start }
  }
}

/** A function of its own, because a closure within `createPrepareOperation` would keep all its variables alive. */
function withoutResult(ended: (result: null) => void): () => void {
  return () => ended(null)
}

function missingOperation(operationName: string | null): string {
  return operationName === null
    ? 'The document has no operation or several; name one in operationName.'
    : `The document has no operation "${operationName}".`
}

const NO_CONDITIONS = new Map<string, boolean>()

/** graphql-js reads the first field without checking that one exists. Conditions by variables do not pass validation here. */
function selectsNothing(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const selections = { schema, fragments: fragmentsOf(document), conditions: NO_CONDITIONS }
  return collectFields(selections, schema.getSubscriptionType()!, [operation.selectionSet]).size === 0
}

const WHOLE = ' The gateway sends each answer as a whole. Remove the directive.'
const HINTS: Readonly<Record<string, string>> = {
  'Unknown directive "@defer".': WHOLE,
  'Unknown directive "@stream".': WHOLE,
}

/** Removes what Yoga adds to an error's extensions for its own HTTP transport. */
function validationError({ message, nodes, source, positions }: GraphQLError): GraphQLError {
  const place = nodes === undefined ? { source: source ?? null, positions: positions ?? null } : { nodes }
  return new GraphQLError(message + (HINTS[message] ?? ''), {
    ...place,
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  })
}
