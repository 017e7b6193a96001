import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatArray, parseArray } from '../../../../src/store/postgres/base/array-types.js'
import { withClient } from '../../../../src/store/postgres/base/open-pool.js'
import { createTestDatabase } from '../../../support/test-postgres.js'

const text = (item: unknown) => String(item)

describe('arrays', () => {
  it('are parsed as they were formatted, whatever the texts', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.string({ unit: 'binary' }))), (items) => {
        expect(parseArray(formatArray(items, text), text)).toEqual(items)
      }),
    )
  })

  it('pass through Postgres unchanged, of every type', async () => {
    const database = await createTestDatabase()
    const values: [type: string, items: unknown[]][] = [
      ['bigint', [1, -(2 ** 53) + 1, null]],
      ['integer', [1, 2]],
      ['text', ['', ' ', 'NULL', 'null', '{a,b}', '"', '\\', 'a\nb', 'ü', null]],
      ['json', [{ a: [1, 'x"'] }, null]],
      ['uuid', ['2d9ad0b6-6b0b-4f4f-8f57-0f7f1d1a7f10', null]],
      ['jsonb', [{ a: [1, 'x"'] }, null]],
      ['text', []],
    ]
    try {
      for (const [type, items] of values) {
        const [row] = await withClient(database.url, (sql) =>
          sql.unsafe(`SELECT $1::${type}[] AS items`, [items as never]),
        )
        expect(row!.items, type).toEqual(items)
      }
      // The driver does not send arrays of these.
      const [row] = await withClient(
        database.url,
        (sql) => sql`SELECT ARRAY[true, false, NULL] AS booleans, ARRAY['\\x0022ff'::bytea] AS bytes,
          ARRAY['2026-11-30T12:34:56.789Z'::timestamptz] AS times`,
      )
      expect(row).toEqual({
        booleans: [true, false, null],
        bytes: [Buffer.from([0, 34, 255])],
        times: [new Date('2026-11-30T12:34:56.789Z')],
      })
    } finally {
      await database.drop()
    }
  })
})
