import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Column } from '../../../../src/store/postgres/base/columns.js'
import { openPool, type Sql } from '../../../../src/store/postgres/base/open-pool.js'
import { RowParameters } from '../../../../src/store/postgres/base/row-parameters.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

const COLUMNS: readonly Column[] = [
  { key: 'number', name: 'number', type: 'bigint' },
  { key: 'isLast', name: 'is_last', type: 'boolean' },
  { key: 'id', name: 'id', type: 'uuid' },
  { key: 'at', name: 'at', type: 'timestamptz' },
  { key: 'bytes', name: 'bytes', type: 'bytea' },
  { key: 'kind', name: 'kind', type: 'text' },
  { key: 'message', name: 'message', type: 'text' },
]
const row = (number: number, message: string | null) => ({
  number,
  isLast: number === 2,
  id: `0000000${number}-0000-4000-8000-000000000000`,
  at: new Date(1_700_000_000_123 + number),
  bytes: Buffer.from([0, number, 255]),
  kind: number === 2 ? null : `kind.${number}`,
  message,
})

describe('rows as parameters', () => {
  let database: TestDatabase
  let sql: Sql
  beforeAll(async () => {
    database = await createTestDatabase()
    sql = openPool(database.url, { connections: 1 })
  })
  afterAll(async () => {
    await sql.end()
    await database.drop()
  })

  it.each([
    ['no row', []],
    ['one row', [row(1, 'text')]],
    ['rows with nulls', [row(1, null), row(2, '')]],
    ['free text with the separator, quotes and braces', [row(1, 'a\u001fb'), row(2, '{"x", \\ NULL}'), row(3, 'NULL')]],
  ])('arrive as they were sent: %s', async (_, rows) => {
    const parameters = new RowParameters<(typeof rows)[number]>(COLUMNS, ['kind'])
    const names = COLUMNS.map(({ name }) => name).join(', ')
    const text = `WITH s(${names}) AS (SELECT ${parameters.selected()} FROM ${parameters.from(1, 'r')}) SELECT * FROM s`
    const found = await sql.unsafe(text, parameters.values(rows) as never[])
    expect(found.map(({ is_last: isLast, ...rest }) => ({ ...rest, isLast }))).toEqual(rows)
  })
})
