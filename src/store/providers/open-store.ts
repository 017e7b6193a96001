import type { Backend, History } from '../contract/history.js'
import { startEmbeddedPostgres } from '../embedded/start-embedded-postgres.js'
import { migrateDatabase } from '../postgres/base/migrate.js'
import { STORE_PROVIDERS, type StoreHost } from './store-providers.js'

/** A built-in store and the location of its data. */
export interface StoreLocation {
  readonly backend: Backend
  /** The URL of a Postgres server; only for `postgres`. */
  readonly databaseUrl: string | null
  /** The folder of the data of `embedded`. */
  readonly dataDir: string
}

export interface StoreOptions extends StoreLocation, StoreHost {}

/** The configuration for the provider of a built-in store. @throws Error if a URL is needed and missing */
export function storeProviderConfig({ backend, databaseUrl, dataDir }: StoreLocation): object {
  return CONFIG[backend]({ databaseUrl, dataDir })
}

const CONFIG: Readonly<Record<Backend, (location: Omit<StoreLocation, 'backend'>) => object>> = {
  memory: () => ({}),
  none: () => ({}),
  postgres: ({ databaseUrl }) => ({ databaseUrl: requireUrl(databaseUrl) }),
  embedded: ({ dataDir }) => ({ dataDir }),
}

/** Opens a built-in store without a gateway, ready to serve. @throws Error if it cannot be opened, with the reason */
export async function openStore(store: StoreOptions): Promise<History> {
  return STORE_PROVIDERS[store.backend].create(storeProviderConfig(store), store)
}

/** Brings the store's tables up to date, and closes the store. */
export async function migrateStore(store: StoreLocation & Pick<StoreHost, 'log'>): Promise<void> {
  if (store.backend === 'postgres') return migrateDatabase(requireUrl(store.databaseUrl))
  if (store.backend !== 'embedded') return
  const server = await startEmbeddedPostgres({ dataDir: store.dataDir, ...(store.log && { log: store.log }) })
  try {
    await migrateDatabase(server.url)
  } finally {
    await server.stop()
  }
}

function requireUrl(databaseUrl: string | null): string {
  if (databaseUrl === null) throw new Error('The store "postgres" needs DATABASE_URL')
  return databaseUrl
}
