import { RegistryError } from '../../core/errors/registry-error.js'
import type { Sources } from './sources.js'

/** The sources of a gateway that has none configured. */
export const NO_SOURCES: Sources = {
  list: async () => [],
  get: async () => null,
  byName: async () => new Map(),
  reload: async (name) => none(name),
  plan: async (name) => none(name),
  ownedPage: async () => ({ items: [], hasMore: false }),
  ownedCount: async () => 0,
}

function none(name: string): never {
  throw new RegistryError('SOURCE_NOT_FOUND', `There is no source "${name}". No source is configured`)
}
