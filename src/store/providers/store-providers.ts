import type { Backend, History, HistoryOptions } from '../contract/history.js'
import type { Provider } from '../contract/provider.js'
import { startEmbeddedPostgres } from '../embedded/start-embedded-postgres.js'
import { openMemoryHistory } from '../memory/memory-history.js'
import { openPostgresHistory } from '../postgres/postgres-history.js'

/** Passed to a store provider besides its configuration. */
export interface StoreHost {
  readonly options: HistoryOptions
  readonly log?: (line: string) => void
}

// biome-ignore lint/suspicious/noExplicitAny: a provider's config is of the provider's own type; its schema checks it
export type StoreProvider<Config = any> = Provider<Config, History, StoreHost>

/** The version of all built-in providers, which is that of the contract they implement. */
const VERSION = '1.0.0'
const NOTHING = { type: 'object', additionalProperties: false } as const
const isReady = async (made: readonly History[]) =>
  (await Promise.all(made.map((history) => history.isReady()))).every(Boolean)

const postgres: StoreProvider<{ readonly databaseUrl: string }> = {
  name: 'postgres',
  displayName: 'Postgres',
  version: VERSION,
  description: 'Stores history in a Postgres server, which any number of gateways may share.',
  capabilities: ['history', 'durable', 'verify', 'gateways'],
  configSchema: {
    type: 'object',
    required: ['databaseUrl'],
    additionalProperties: false,
    properties: { databaseUrl: { type: 'string', pattern: '^postgres(ql)?://' } },
  },
  create: ({ databaseUrl }, { options }) => openPostgresHistory({ ...options, databaseUrl, backend: 'postgres' }),
  health: isReady,
}

const embedded: StoreProvider<{ readonly dataDir: string }> = {
  name: 'embedded',
  displayName: 'Embedded Postgres',
  version: VERSION,
  description: 'Stores history in its own Postgres server, in a folder. Nothing needs to be installed.',
  capabilities: ['history', 'durable', 'verify'],
  configSchema: {
    type: 'object',
    required: ['dataDir'],
    additionalProperties: false,
    properties: { dataDir: { type: 'string', minLength: 1 } },
  },
  create: openEmbedded,
  health: isReady,
}

const memory: StoreProvider<object> = {
  name: 'memory',
  displayName: 'Memory',
  version: VERSION,
  description: 'Stores history in memory, for tests. It is lost at exit.',
  capabilities: ['history'],
  configSchema: NOTHING,
  create: (_config, { options }) => openMemoryHistory(options),
  health: isReady,
}

const none: StoreProvider<object> = {
  name: 'none',
  displayName: 'No history',
  version: VERSION,
  description: 'Stores only the current state, in memory. Rollbacks and older revisions are refused.',
  capabilities: [],
  configSchema: NOTHING,
  create: (_config, { options }) => openMemoryHistory(options, { hasHistory: false }),
  health: isReady,
}

/** The built-in stores. */
export const STORE_PROVIDERS: Readonly<Record<Backend, StoreProvider>> = { postgres, embedded, memory, none }

async function openEmbedded({ dataDir }: { readonly dataDir: string }, { options, log }: StoreHost): Promise<History> {
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
