import type { ProviderDirectory } from './provider-directory.js'

/** Directory of a registry that is used without plugins. */
export const NO_PROVIDERS: ProviderDirectory = { find: () => [], get: () => null, isHealthy: async () => null }
