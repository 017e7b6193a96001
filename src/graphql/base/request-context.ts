import type { PositionTracker } from '../../registry/following/stream-position.js'
import { NO_PROVIDERS } from '../../registry/plugins/no-providers.js'
import type { ProviderDirectory } from '../../registry/plugins/providers.js'
import type { Registry } from '../../registry/registry.js'
import { NO_SOURCES } from '../../sources/running/no-sources.js'
import type { Sources } from '../../sources/running/sources.js'
import { createLoaders, type Loaders } from '../loading/loaders.js'

/** What resolvers are given: one for each operation. May be spread into a larger context: it holds no getters. */
export interface RequestContext {
  readonly registry: Registry
  /** What is plugged in. */
  readonly providers: ProviderDirectory
  readonly sources: Sources
  /** The authenticated principal, or what the client says of itself; null where it says nothing. */
  readonly author: string | null
  /** Aborts when nobody waits for the answer any more: ends subscriptions. */
  readonly signal: AbortSignal
  /** Where a subscription stands that follows the log. */
  readonly place: PositionTracker
  /** What this operation has loaded so far; made on first use. */
  loaders(): Loaders
  /**
   * Forgets what was loaded: after a write, and with each event of a subscription, which would else show
   * the registry as it stood when the subscription began, and hold all that it ever loaded.
   */
  renewLoaders(): void
}

export interface RequestContextOptions {
  readonly registry: Registry
  /** None unless given. */
  readonly providers?: ProviderDirectory
  readonly sources?: Sources
  readonly author: string | null
  readonly signal: AbortSignal
  /** Where a subscription is to begin, rather than where its arguments say. */
  readonly from?: PositionTracker['from']
}

export function createContext({
  registry,
  providers = NO_PROVIDERS,
  sources = NO_SOURCES,
  author,
  signal,
  from = null,
}: RequestContextOptions): RequestContext {
  let loaders: Loaders | undefined
  return {
    registry,
    providers,
    sources,
    author,
    signal,
    place: { from, at: null, scanned: null },
    loaders: () => (loaders ??= createLoaders(registry)),
    renewLoaders() {
      loaders = undefined
    },
  }
}
