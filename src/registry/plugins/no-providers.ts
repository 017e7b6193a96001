import type { ProviderDirectory } from './providers.js'

/** Of a registry that is used by itself. */
export const NO_PROVIDERS: ProviderDirectory = { find: () => [], get: () => null, isHealthy: async () => null }
