import { startEmbeddedPostgres } from './embedded/start-embedded-postgres.js'
import type { Backend, History, HistoryOptions } from './history.js'
import { openMemoryHistory } from './memory/memory-history.js'
import { openPostgresHistory } from './postgres/postgres-history.js'
import { migrateDatabase } from './postgres/migrate.js'

export interface StoreOptions {
  readonly backend: Backend
  /** Of a Postgres server; for `postgres` alone. */
  readonly databaseUrl: string | null
  /** Where `embedded` keeps its data. */
  readonly dataDir: string
  readonly options: HistoryOptions
  readonly log?: (line: string) => void
}

/** Opens the configured store, ready to serve. @throws Error where it cannot, saying why */
export function openStore(store: StoreOptions): Promise<History> {
  return OPEN[store.backend](store)
}

/** Brings the store's tables up to date and lets go of it again. */
export async function migrateStore(store: Pick<StoreOptions, 'backend' | 'databaseUrl' | 'dataDir' | 'log'>): Promise<void> {
  if (store.backend === 'postgres') return migrateDatabase(requireUrl(store.databaseUrl))
  if (store.backend !== 'embedded') return
  const server = await startEmbeddedPostgres({ dataDir: store.dataDir, ...(store.log && { log: store.log }) })
  try {
    await migrateDatabase(server.url)
  } finally {
    await server.stop()
  }
}

const OPEN: Readonly<Record<Backend, (store: StoreOptions) => Promise<History>>> = {
  memory: async ({ options }) => openMemoryHistory(options),
  none: async ({ options }) => openMemoryHistory(options, { keepsHistory: false }),
  postgres: ({ databaseUrl, options }) => openPostgresHistory({ ...options, databaseUrl: requireUrl(databaseUrl), backend: 'postgres' }),
  embedded: openEmbedded,
}

async function openEmbedded({ dataDir, options, log }: StoreOptions): Promise<History> {
  const server = await startEmbeddedPostgres({ dataDir, ...(log && { log }) })
  try {
    const history = await openPostgresHistory({ ...options, databaseUrl: server.url, backend: 'embedded' })
    return {
      ...history,
      async close() {
        await history.close()
        await server.stop()
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

function requireUrl(databaseUrl: string | null): string {
  if (databaseUrl === null) throw new Error('the store "postgres" needs DATABASE_URL')
  return databaseUrl
}
