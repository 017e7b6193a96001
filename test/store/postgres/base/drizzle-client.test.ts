import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DrizzleClient } from '../../../../src/store/postgres/base/drizzle-client.js'
import { migrateDatabase } from '../../../../src/store/postgres/base/migrate.js'
import { tag } from '../../../../src/store/postgres/base/tables.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

describe('the client for Drizzle', () => {
  let database: TestDatabase
  let client: DrizzleClient
  beforeAll(async () => {
    database = await createTestDatabase()
    await migrateDatabase(database.url)
    client = new DrizzleClient({ databaseUrl: database.url, connections: 1, timeoutMs: 10_000 })
  })
  afterAll(async () => {
    await client.close()
    await database.drop()
  })

  const named = (name: string) => client.run((drizzle) => drizzle.select().from(tag).where(eq(tag.name, name)))

  async function preparedFor(table: string): Promise<number> {
    const rows = await client.run(
      (_, sql) =>
        sql<{ statement: string }[]>`SELECT statement FROM pg_prepared_statements WHERE statement LIKE ${`%${table}%`}`,
    )
    return rows.filter(({ statement }) => !statement.includes('pg_prepared_statements')).length
  }

  it('prepares a query once, whatever its values are', async () => {
    await named('a')
    await named('b')
    expect(await preparedFor('"tag"')).toBe(1)
  })

  it('prepares the queries of transactions', async () => {
    for (const name of ['a', 'b']) {
      await client.run((drizzle) => drizzle.transaction((sql) => sql.delete(tag).where(eq(tag.name, name))))
    }
    expect(await preparedFor('delete from "tag"')).toBe(1)
  })
})
