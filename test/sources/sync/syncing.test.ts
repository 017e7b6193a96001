import { describe } from 'vitest'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { HISTORY_OPTIONS, memoryRegistry, registryOver } from '../../registry/registry-fixture.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { syncing } from './syncing-suite.js'

describe('over memory', () => {
  syncing(async () => {
    const registry = memoryRegistry()
    return { registry, close: () => registry.close() }
  })
})

describe('over Postgres', () => {
  syncing(async () => {
    const database = await createTestDatabase()
    const history = await openPostgresHistory({
      ...HISTORY_OPTIONS,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 2,
    })
    const registry = registryOver(history)
    return {
      registry,
      async close() {
        await registry.close()
        await history.close()
        await database.drop()
      },
    }
  })
})
