import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { countStatements } from '../../graphql/loading/count-statements.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { HISTORY_OPTIONS } from '../registry-fixture.js'
import { followingInstances } from './following-instances-suite.js'

followingInstances('Postgres', async () => {
  const database = await createTestDatabase()
  const counter = await countStatements(database.url)
  const open = () =>
    openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: counter.url, backend: 'postgres', connections: 4 })
  const history = await open()
  return {
    history,
    another: open,
    reads: () => counter.statements,
    close: async () => {
      await history.close()
      await counter.close()
      await database.drop()
    },
  }
})
