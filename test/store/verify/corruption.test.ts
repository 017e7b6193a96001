import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { History } from '../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import {
  apply,
  changeset,
  commitOne,
  create,
  historyOptions,
  remove,
  update,
  versionMove,
} from '../../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../../support/test-postgres.js'

/** Columns that are not history: ids of requests and of the registry, and values derived at start. */
const NOT_HISTORY = new Set([
  'transition.request_id',
  'head_pointer.registry_id',
  'head_pointer.moved_at',
  'head_pointer.references_fingerprint',
  'head_pointer.id',
  'baseline.id',
  'baseline.removed',
])
const TABLES = ['version', 'transition', 'change', 'head', 'entry_name', 'reference', 'head_pointer', 'tag', 'baseline']

/** Another value of the same type, as close to a flipped bit as the type allows. */
const OTHER: Readonly<Record<string, string>> = {
  text: `CASE WHEN length(%c) = 0 THEN 'x' ELSE overlay(%c placing chr(ascii(right(%c, 1)) # 8) from length(%c)) END`,
  bigint: '%c # 64',
  integer: '%c # 64',
  boolean: 'NOT %c',
  bytea: `set_byte(%c, 12, get_byte(%c, 12) # 1)`,
  jsonb: `'{"other": true}'::jsonb`,
  'timestamp with time zone': `%c + interval '1 millisecond'`,
}

/** v2 is applied again after the baseline, v1 is the head at the baseline, and both have a child. */
async function compact(history: History, sql: postgres.Sql): Promise<void> {
  await commitOne(history, versionMove(2))
  await apply(history, create('c:z'))
  await history.compact({ before: 4, dryRun: false })
  await vi.waitFor(async () => expect((await sql`SELECT removed FROM baseline`)[0]).toEqual({ removed: true }), {
    timeout: 60_000,
  })
}

describe.each([
  ['of all history', null],
  ['of a compacted history', compact],
] as const)('verify %s', (_, compact) => {
  let database: TestDatabase
  let history: History
  let sql: postgres.Sql

  beforeAll(async () => {
    database = await createTestDatabase()
    history = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 2,
    })
    sql = postgres(database.url, { max: 1, onnotice: () => {} })
    await commitOne(
      history,
      changeset(
        [
          create('a:x', 'thing', { n: 1, groups: ['g'] }, { k: 'v' }),
          create('a:y', 'thing', { depends_on: ['x', 'group:g', 'ns:b'] }),
        ],
        { author: 'ann', message: 'first' },
      ),
    )
    await apply(history, remove('a:x'), create('a:x', 'other', { m: 'é' }))
    await commitOne(history, versionMove(1, { author: 'bob', message: 'back' }))
    await apply(history, update('a:x', 'thing', { n: 2 }, [1, 2]), create('b:z'))
    await apply(history, remove('b:z'))
    await compact?.(history, sql)
    await history.setTag({
      name: 'release/1',
      version: compact === null ? 1 : 4,
      movable: false,
      expectedVersion: null,
      author: 'ann',
    })
    await history.setTag({ name: 'latest', version: 3, movable: true, expectedVersion: null, author: null })
  })
  afterAll(async () => {
    await sql.end()
    await history.close()
    await database.drop()
  })

  it('finds a change to any value of any row of history, and names the row', async () => {
    const columns = await sql<{ table_name: string; column_name: string; data_type: string }[]>`
      SELECT table_name, column_name, data_type FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = ANY(${TABLES})`
    const missed: string[] = []
    let tried = 0
    for (const { table_name: table, column_name: column, data_type: type } of columns) {
      if (NOT_HISTORY.has(`${table}.${column}`)) continue
      for (const [place, row] of (await sql.unsafe(`TABLE ${table} ORDER BY ${table}::text`)).entries()) {
        if (row[column] === null) continue
        const found = await withDamage(
          table,
          `UPDATE ${table} SET ${column} = ${OTHER[type]!.replaceAll('%c', column)} WHERE ${isAt(table, place)}`,
        )
        tried++
        if (found.length === 0) missed.push(`${table}.${column} of ${JSON.stringify(row)}`)
      }
    }
    expect(missed).toEqual([])
    expect(tried).toBeGreaterThan(150)
    expect((await history.verify()).corruptions).toEqual([])
  })

  it('finds a change to any byte of a changeset, and names its version', async () => {
    const [{ number, length }] = await sql<[{ number: number; length: number }]>`
      SELECT number::int, length(changeset) FROM version WHERE changeset IS NOT NULL ORDER BY number LIMIT 1`
    for (let byte = 0; byte < length; byte++) {
      const found = await withDamage(
        'version',
        `UPDATE version SET changeset = set_byte(changeset, ${byte}, get_byte(changeset, ${byte}) # ${1 << (byte % 8)}) WHERE number = ${number}`,
      )
      expect(found.map(({ where }) => where)).toContain(`v${number}`)
    }
  })

  it('finds a row that is missing from any table', async () => {
    for (const table of TABLES.filter((name) => name !== 'head_pointer')) {
      for (const [place, row] of (await sql.unsafe(`TABLE ${table} ORDER BY ${table}::text`)).entries()) {
        const found = await withDamage(table, `DELETE FROM ${table} WHERE ${isAt(table, place)}`)
        expect(found.length, `${table} ${JSON.stringify(row)}`).toBeGreaterThan(0)
      }
    }
  })

  it('finds rows that compaction should have removed', async () => {
    if (compact === null) return
    expect(await withDamage('version', `UPDATE version SET changeset = '\\x00' WHERE number = 1`)).toMatchObject([
      { part: 'version', where: 'v1' },
    ])
    const row = `INSERT INTO change (ns, name, revision, operation, position) SELECT ns, name, revision - 1, 'delete', 9 FROM change WHERE name = 'y' AND revision < 4`
    expect((await withDamage('change', row)).map(({ part }) => part)).toContain('baseline')
  })

  it('precedes compaction, which would hide a corruption', async () => {
    for (const name of ['release/1', 'latest']) await history.deleteTag(name, true)
    const { revision } = await history.head()
    const oldest = await history.oldestRevision()
    for (const damage of [
      `UPDATE change SET data = '7' WHERE revision = ${Math.max(1, oldest)}`,
      `UPDATE version SET message = 'x' WHERE number = 1`,
      `DELETE FROM transition WHERE revision = 1`,
    ]) {
      const table = /(?:UPDATE|FROM) (\w+)/.exec(damage)![1]!
      await sql.unsafe(`CREATE TEMP TABLE sound AS TABLE ${table}`)
      await sql.unsafe(damage)
      await expect(history.compact({ before: revision, dryRun: false })).rejects.toMatchObject({
        code: 'HISTORY_DAMAGED',
      })
      expect(await history.oldestRevision()).toBe(oldest)
      await sql.unsafe(`DELETE FROM ${table}; INSERT INTO ${table} TABLE sound; DROP TABLE sound`)
    }
  })

  /** Rows move when they are restored, so each is named by its place in the order of their texts. */
  const isAt = (table: string, place: number) =>
    `ctid = (SELECT ctid FROM ${table} ORDER BY ${table}::text OFFSET ${place} LIMIT 1)`

  /** Returns the corruptions found after a statement on one table, and restores its rows. */
  async function withDamage(table: string, statement: string) {
    await sql.unsafe(`CREATE TEMP TABLE kept AS TABLE ${table}`)
    try {
      const { count } = await sql.unsafe(statement)
      expect(count).toBe(1)
      return (await history.verify()).corruptions
    } finally {
      await sql.unsafe(`DELETE FROM ${table}; INSERT INTO ${table} TABLE kept; DROP TABLE kept`)
    }
  }
})
