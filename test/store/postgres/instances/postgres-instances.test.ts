import postgres from 'postgres'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { historyOptions } from '../../../support/commit-requests.js'
import { createTestDatabase } from '../../../support/test-postgres.js'
import { describeInstances } from '../../contract/instances-contract.js'

describeInstances('Postgres', async () => {
  const database = await createTestDatabase()
  const open = () =>
    openPostgresHistory({ ...historyOptions, databaseUrl: database.url, backend: 'postgres', connections: 4 })
  const history = await open()
  const sql = postgres(database.url, { max: 1 })
  return {
    history,
    another: open,
    // The server's clock cannot be set forward. Setting all times back has the same effect.
    pass: async (seconds) => {
      await sql`UPDATE instance SET acquired_at = acquired_at - ${`${seconds} seconds`}::interval, expires_at = expires_at - ${`${seconds} seconds`}::interval`
    },
    close: async () => {
      await sql.end()
      await history.close()
      await database.drop()
    },
  }
})
