import type { Backend, History } from '../contract/history.js'
import { startEmbeddedPostgres } from '../embedded/start-embedded-postgres.js'
import { migrateDatabase } from '../postgres/base/migrate.js'
import { STORE_PROVIDERS, type StoreHost } from './store-providers.js'

/** Which of the built-in stores, and where it keeps what. */
export interface StoreLocation {
  readonly backend: Backend
  /** Of a Postgres server; for `postgres` alone. */
  readonly databaseUrl: string | null
  /** Where `embedded` keeps its data. */
  readonly dataDir: string
}

export interface StoreOptions extends StoreLocation, StoreHost {}

/** The configuration of the provider of that name. @throws Error where there is no URL and one is needed */
export function storeProviderConfig({ backend, databaseUrl, dataDir }: StoreLocation): object {
  return CONFIG[backend]({ databaseUrl, dataDir })
}

const CONFIG: Readonly<Record<Backend, (place: Omit<StoreLocation, 'backend'>) => object>> = {
  memory: () => ({}),
  none: () => ({}),
  postgres: ({ databaseUrl }) => ({ databaseUrl: requireUrl(databaseUrl) }),
  embedded: ({ dataDir }) => ({ dataDir }),
}

/** Opens a built-in store by itself, ready to serve. @throws Error where it cannot, saying why */
export async function openStore(store: StoreOptions): Promise<History> {
  return STORE_PROVIDERS[store.backend].create(storeProviderConfig(store), store)
}

/** Brings the store's tables up to date and lets go of it again. */
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
  if (databaseUrl === null) throw new Error('the store "postgres" needs DATABASE_URL')
  return databaseUrl
}
