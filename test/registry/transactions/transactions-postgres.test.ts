import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { HISTORY_OPTIONS } from '../registry-fixture.js'
import { transactionSuite } from './transactions-suite.js'

transactionSuite('Postgres with a pool of 4', async () => {
  const database = await createTestDatabase()
  const history = await openPostgresHistory({
    ...HISTORY_OPTIONS,
    databaseUrl: database.url,
    backend: 'postgres',
    connections: 4,
  })
  return {
    history,
    async close() {
      await history.close()
      await database.drop()
    },
  }
})
