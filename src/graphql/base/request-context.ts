import { GraphQLError } from 'graphql'
import type { PositionTracker } from '../../registry/following/stream-position.js'
import { NO_PROVIDERS } from '../../registry/plugins/no-providers.js'
import type { ProviderDirectory } from '../../registry/plugins/provider-directory.js'
import type { Registry } from '../../registry/registry.js'
import { NO_SOURCES } from '../../sources/running/no-sources.js'
import type { Sources } from '../../sources/running/sources.js'
import { type HeavyWork, type ReadGate, UNGATED } from '../loading/heavy-work.js'
import { createLoaders, type Loaders } from '../loading/loaders.js'
import { AnswerSize } from '../results/answer-size.js'

/** @bound Weight of the work of one request that shows only while it is executed: items of lists without pages. */
const MAX_FOUND_WEIGHT = 250_000

/** The context of one request, which every resolver gets. It has no getters and may be spread into a larger context. */
export interface RequestContext {
  readonly registry: Registry
  /** The registered providers. */
  readonly providers: ProviderDirectory
  readonly sources: Sources
  /** The authenticated principal or the author that the client claims; null if there is neither. */
  readonly author: string | null
  /** Aborts when the answer is no longer awaited. Ends subscriptions. */
  readonly signal: AbortSignal
  /** Runs a read of the store that no loader batches. Such reads do not call one another. */
  readonly read: ReadGate
  /** Awaited between parts of long synchronous work; undefined if the operation is not heavy. */
  readonly slice?: HeavyWork['slice'] | undefined
  /**
   * Adds the weight of work that showed only while the operation was executed, such as the length of a list.
   * @throws GraphQLError QUERY_TOO_COMPLEX if the request has found too much
   */
  charge(weight: number): void
  /** The size of the contents in the answer, or in the current result of a subscription. */
  readonly answerSize: AnswerSize
  /** Tracks the position of a subscription that follows the log. */
  readonly tracker: PositionTracker
  /** The loaders of this request, created on first use. */
  loaders(): Loaders
  /**
   * Drops the loaders and their caches, and what was charged. Called after a write and for each event of a subscription.
   * Otherwise a subscription would show the registry at its start, and its cache would grow without limit.
   */
  renewLoaders(): void
  /** Begins the next result of a subscription: drops the loaders, and the size of the previous result. */
  beginResult(): void
}

export interface RequestContextOptions {
  readonly registry: Registry
  /** None by default. */
  readonly providers?: ProviderDirectory
  readonly sources?: Sources
  readonly author: string | null
  readonly signal: AbortSignal
  /** Bytes of the longest answer. Unlimited by default. */
  readonly answerBytes?: number
  /** How the work of a heavy operation is spread. */
  readonly heavy?: HeavyWork
  /** Where a subscription begins, instead of where its arguments define. */
  readonly from?: PositionTracker['from']
}

export function createContext({
  registry,
  providers = NO_PROVIDERS,
  sources = NO_SOURCES,
  author,
  signal,
  answerBytes = Number.POSITIVE_INFINITY,
  heavy,
  from = null,
}: RequestContextOptions): RequestContext {
  const read = heavy?.read ?? UNGATED
  let loaders: Loaders | undefined
  let charged = 0
  const answerSize = new AnswerSize(answerBytes)
  const renewLoaders = () => {
    loaders = undefined
    charged = 0
  }
  return {
    registry,
    providers,
    sources,
    author,
    signal,
    read,
    slice: heavy?.slice,
    charge(weight) {
      charged += weight
      if (charged > MAX_FOUND_WEIGHT) throw foundTooMuch()
    },
    answerSize,
    tracker: { from, at: null, scanned: null },
    loaders: () => (loaders ??= createLoaders(registry, read, sources)),
    renewLoaders,
    beginResult() {
      renewLoaders()
      answerSize.reset()
    },
  }
}

/** Makes the context of one event of a heavy subscription. */
export function spreadOver(context: RequestContext, heavy: HeavyWork): RequestContext {
  const { tracker, answerSize } = context
  return { ...context, ...createContext({ ...context, heavy }), tracker, answerSize }
}

function foundTooMuch(): GraphQLError {
  const message = `The answer would hold more than ${MAX_FOUND_WEIGHT} dependencies. Request smaller pages (first) of fewer entries.`
  return new GraphQLError(message, { extensions: { code: 'QUERY_TOO_COMPLEX' } })
}
