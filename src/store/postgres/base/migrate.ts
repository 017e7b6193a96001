import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { connectionOptions } from './connection-options.js'

/** Any number, the same for every gateway: whoever holds it migrates, the others wait and find it done. */
const MIGRATION_LOCK = 4_027_551

const MIGRATIONS = fileURLToPath(new URL('../../../../drizzle', import.meta.url))

const OLDEST_SERVER = 140_000

/**
 * Brings the database to this version's tables; any number of gateways may start at once.
 * @throws Error where the server is older than Postgres 14 or the database is of another encoding
 */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const client = postgres({
    ...connectionOptions(databaseUrl),
    max: 1,
    connection: { application_name: 'cadastre migration' },
  })
  try {
    const [server] = await client<{ number: string; version: string; encoding: string }[]>`
      SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
        current_setting('server_encoding') AS encoding`
    if (Number(server!.number) < OLDEST_SERVER)
      throw new Error(`Postgres 14 or later is needed; DATABASE_URL leads to ${server!.version}`)
    if (server!.encoding !== 'UTF8')
      throw new Error(`the database has the encoding ${server!.encoding}; create it with UTF8`)
    await client`SELECT pg_advisory_lock(${MIGRATION_LOCK})`
    // The lock is the session's: it goes with the connection, however this ends.
    await migrate(drizzle({ client }), { migrationsFolder: MIGRATIONS })
  } finally {
    await client.end({ timeout: 5 })
  }
}
