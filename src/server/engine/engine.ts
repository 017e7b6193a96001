import type { DocumentNode, GraphQLSchema } from 'graphql'
import { waitAtMost } from '../../registry/async/within-deadline.js'
import type { ProviderDirectory } from '../../registry/plugins/provider-directory.js'
import type { Registry } from '../../registry/registry.js'
import type { Sources } from '../../sources/running/sources.js'
import { ALL_OPTIMIZATIONS, type OptimizationSwitches } from '../../store/contract/optimizations.js'
import { Broadcasts } from '../broadcast/broadcasts.js'
import { createFastPath, type FastPath } from '../fast-path/fast-path.js'
import type { Log } from '../observing/log.js'
import type { Metrics } from '../observing/metrics.js'
import { useDocumentCache } from '../pipeline/document-cache.js'
import { InFlightCounter } from '../pipeline/in-flight-counter.js'
import { maskSuggestions, useIntrospectionSwitch } from '../pipeline/introspection-switch.js'
import { createMaskError, type MaskError } from '../pipeline/mask-error.js'
import { OPERATION_LIMITS, type OperationLimits } from '../pipeline/operation-limits.js'
import { HeavyOperations } from '../weighing/heavy-operations.js'
import { useWeightLimit } from '../weighing/weight-limit.js'
import { useGraphQLJs } from './graphql-js.js'
import { createPrepareOperation, type PrepareOperation } from './prepare-operation.js'
import { createRespond, type Respond } from './respond.js'

/** The state that all engines of a gateway share, so that heavy operations of either wait for the same turns. */
export interface Load {
  readonly inFlight: InFlightCounter
  readonly heavy: HeavyOperations
}

export function createLoad(): Load {
  const inFlight = new InFlightCounter()
  return { inFlight, heavy: new HeavyOperations(inFlight) }
}

export interface EngineOptions {
  readonly schema: GraphQLSchema
  readonly registry: Registry
  readonly providers?: ProviderDirectory
  readonly sources?: Sources
  readonly log: Log
  readonly metrics: Metrics
  readonly introspection: boolean
  readonly limits?: OperationLimits
  /** By default, one of its own. */
  readonly load?: Load
  /** By default, all are on. */
  readonly optimizations?: OptimizationSwitches
  /** Bytes of results that are buffered for slower subscribers. */
  readonly resultBufferBytes?: number
}

/** GraphQL without a transport. */
export interface Engine {
  readonly respond: Respond
  readonly mask: MaskError
  /** Parses and validates a document with all plugins; null if they refuse it. */
  validated(query: string, operationName: string | null): DocumentNode | null
  /** Drops what is cached by the text of requests, because the same text may now ask for something else. */
  forgetAnswers(): void
  /** Resolves when no query and no mutation is in flight, or after `ms`. */
  idle(ms: number): Promise<void>
}

/** The paths among which `respond` chooses, for tests that compare them. */
export interface EnginePaths {
  readonly fastPath: FastPath
  readonly prepare: PrepareOperation
}

export function createEngine(options: EngineOptions): Engine & EnginePaths {
  const { schema, registry, log, metrics, limits = OPERATION_LIMITS, optimizations = ALL_OPTIMIZATIONS } = options
  const mask = maskSuggestions(options.introspection, createMaskError(log))
  const services = {
    registry,
    answerBytes: limits.answerBytes,
    ...(options.providers && { providers: options.providers }),
    ...(options.sources && { sources: options.sources }),
  }
  const { inFlight, heavy } = options.load ?? createLoad()
  const broadcasts = new Broadcasts(schema, {
    ...(options.resultBufferBytes !== undefined && { bufferBytes: options.resultBufferBytes }),
    sharesResults: optimizations['shared-results'],
    cachesFrames: optimizations['frame-cache'],
  })
  const plugins = [
    useGraphQLJs({ isCompiled: optimizations['compiled-operations'], heavy }),
    useDocumentCache(limits),
    useIntrospectionSwitch(options.introspection),
    useWeightLimit(limits),
  ]
  const prepare = createPrepareOperation({
    schema,
    services,
    plugins,
    mask,
    metrics,
    limits,
    inFlight,
    heavy,
    broadcasts,
  })
  function validated(query: string, operationName: string | null): DocumentNode | null {
    const prepared = prepare({ query, operationName, variables: {} }, NOBODY)
    return 'errors' in prepared ? null : prepared.document
  }
  const fastPath = createFastPath({
    schema,
    services,
    mask,
    metrics,
    limits,
    inFlight,
    heavy,
    isCompiled: optimizations['compiled-operations'],
    cachesAnswers: optimizations['answer-cache'],
    validated,
  })

  return {
    respond: createRespond(fastPath, prepare, mask, limits.answerBytes),
    mask,
    validated,
    forgetAnswers: () => fastPath.forgetAnswers(),
    fastPath,
    prepare,
    async idle(ms) {
      const until = performance.now() + ms
      while (inFlight.count > 0 && performance.now() < until) {
        await waitAtMost(until - performance.now(), inFlight.ended())
      }
    },
  }
}

/** A caller that executes nothing. */
const NOBODY = {
  author: null,
  signal: new AbortController().signal,
  client: () => ({ group: '', connection: {} }),
}
