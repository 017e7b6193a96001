import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { HISTORY_OPTIONS } from '../registry-fixture.js'
import { followingPromises } from './following-suite.js'

followingPromises('Postgres', async () => {
  const database = await createTestDatabase()
  const history = await openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres' })
  return {
    history,
    close: async () => {
      await history.close()
      await database.drop()
    },
  }
})
