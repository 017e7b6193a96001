import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { historyOptions } from '../../support/commit-requests.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { describeHistory } from '../contract/history-contract.js'

describeHistory('Postgres', async () => {
  const database = await createTestDatabase()
  const open = () =>
    openPostgresHistory({ ...historyOptions, databaseUrl: database.url, backend: 'postgres', connections: 4 })
  const history = await open()
  return {
    history,
    another: open,
    close: async () => {
      await history.close()
      await database.drop()
    },
  }
})
