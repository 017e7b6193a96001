import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { History } from '../../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { historyOptions } from '../../../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

describe('the journal in Postgres', () => {
  let database: TestDatabase
  let histories: History[]
  beforeAll(async () => {
    database = await createTestDatabase()
    const open = () =>
      openPostgresHistory({ ...historyOptions, databaseUrl: database.url, backend: 'postgres', connections: 2 })
    histories = [await open(), await open()]
  })
  afterAll(async () => {
    for (const history of histories) await history.close()
    await database.drop()
  })

  // An upsert named the column by a key that Drizzle does not know and left it out without an error.
  it('replaces operations and notified participants when a transaction is opened again', async () => {
    const [one, another] = histories.map(({ journal }) => journal)
    const id = randomUUID()
    await one!.open({ id, operations: [], notified: ['a'] }, 60_000)
    await one!.accept(id, [{ operation: 0, participant: 'a' }])
    await one!.open({ id, operations: [], notified: ['a', 'b'] }, 0)
    expect(await another!.claimExpired(60_000)).toEqual({ id, operations: [], notified: ['a', 'b'], accepted: [] })
  })
})
