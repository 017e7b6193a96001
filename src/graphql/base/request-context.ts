import type { PositionTracker } from '../../registry/following/stream-position.js'
import { NO_PROVIDERS } from '../../registry/plugins/no-providers.js'
import type { ProviderDirectory } from '../../registry/plugins/providers.js'
import type { Registry } from '../../registry/registry.js'
import { NO_SOURCES } from '../../sources/running/no-sources.js'
import type { Sources } from '../../sources/running/sources.js'
import { createLoaders, type Loaders } from '../loading/loaders.js'

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
  /** Tracks the position of a subscription that follows the log. */
  readonly tracker: PositionTracker
  /** The loaders of this request, created on first use. */
  loaders(): Loaders
  /**
   * Drops the loaders and their caches. Called after a write and for each event of a subscription. Otherwise a
   * subscription would show the registry at its start, and its cache would grow without limit.
   */
  renewLoaders(): void
}

export interface RequestContextOptions {
  readonly registry: Registry
  /** None by default. */
  readonly providers?: ProviderDirectory
  readonly sources?: Sources
  readonly author: string | null
  readonly signal: AbortSignal
  /** Where a subscription begins, instead of where its arguments define. */
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
    tracker: { from, at: null, scanned: null },
    loaders: () => (loaders ??= createLoaders(registry)),
    renewLoaders() {
      loaders = undefined
    },
  }
}
