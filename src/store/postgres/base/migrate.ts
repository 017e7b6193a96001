import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import { openPool } from './open-pool.js'

/**
 * The key of an advisory lock, the same for every gateway. Its holder migrates. The others wait and find the work done.
 */
const MIGRATION_LOCK = 4_027_551

const MIGRATIONS = fileURLToPath(new URL('../../../../drizzle', import.meta.url))

const OLDEST_SERVER = 140_000

/**
 * Migrates the database to this version's tables. Any number of gateways may start at the same time.
 * @throws Error if the server is older than Postgres 14 or the database's encoding is not UTF8
 */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  await checkServer(databaseUrl)
  const client = openPool(databaseUrl, { connections: 1, settings: { application_name: 'cadastre migration' } })
  try {
    await client`SELECT pg_advisory_lock(${MIGRATION_LOCK})`
    // The lock belongs to the session, so it is released when the connection ends.
    await migrate(drizzle({ client }), { migrationsFolder: MIGRATIONS })
  } finally {
    await client.end({ timeout: 5 })
  }
}

async function checkServer(databaseUrl: string): Promise<void> {
  const client = openPool(databaseUrl, {
    connections: 1,
    // An older server does not know this setting, and must still reach the check of its version.
    settings: { application_name: 'cadastre migration', idle_session_timeout: '' },
  })
  try {
    const [server] = await client<{ number: string; version: string; encoding: string }[]>`
      SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
        current_setting('server_encoding') AS encoding`
    if (Number(server!.number) < OLDEST_SERVER)
      throw new Error(`Postgres 14 or later is required. The server of DATABASE_URL is ${server!.version}.`)
    if (server!.encoding !== 'UTF8')
      throw new Error(`The database has the encoding ${server!.encoding}. Create it with UTF8.`)
  } finally {
    await client.end({ timeout: 5 })
  }
}
