import { describe, expect, it } from 'vitest'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import {
  apply,
  commitOne,
  create,
  expectApplied,
  historyOptions,
  remove,
  update,
  versionMove,
} from '../../support/commit-requests.js'
import { createTestDatabase } from '../../support/test-postgres.js'

describe('a history in which an entry came to equal content by another version', () => {
  // A rollback does not touch entries that are equal by value; `verify` used to report the entry's other version.
  it.each(['memory', 'Postgres'])('has nothing wrong with it, over %s', async (backend) => {
    const database = await createTestDatabase()
    const history =
      backend === 'memory'
        ? openMemoryHistory(historyOptions)
        : await openPostgresHistory({
            ...historyOptions,
            databaseUrl: database.url,
            backend: 'postgres',
            connections: 4,
          })
    try {
      await apply(history, create('a:x', 'thing', { a: 1, b: 2 }), create('a:y'))
      await apply(history, update('a:x', 'thing', { b: 2, a: 1 }))
      await apply(history, remove('a:x'), create('a:x', 'other'))
      await apply(history, remove('a:x'), create('a:x', 'thing', { a: 1, b: 2 }))
      for (const version of [1, 2, 4, 3, 2, 1]) {
        expectApplied(await commitOne(history, versionMove(version)))
        expect((await history.verify()).corruptions).toEqual([])
      }
    } finally {
      await history.close()
      await database.drop()
    }
  })
})
