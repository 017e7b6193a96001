import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Criteria } from '../../../../src/core/criteria/criteria.js'
import { parseFind } from '../../../../src/core/criteria/parse-find.js'
import { type EntryFilterInput, parseWhere } from '../../../../src/core/criteria/parse-where.js'
import { parseEntryId } from '../../../../src/core/entry/entry-id.js'
import type { JsonObject } from '../../../../src/core/entry/json.js'
import type { EntryOrder, ReadAt } from '../../../../src/store/contract/history-reader.js'
import { compileRegex } from '../../../../src/store/planning/compile-regex.js'
import { latestChange } from '../../../../src/store/postgres/base/entry-row.js'
import { openPool, type Sql } from '../../../../src/store/postgres/base/open-pool.js'
import { INDEX_LOOKUPS } from '../../../../src/store/postgres/base/retrying-client.js'
import { FindQuery, LOOKED_UP } from '../../../../src/store/postgres/find/find-query.js'
import { DIFFERENCES } from '../../../../src/store/postgres/read/read-differences.js'
import { PLANNED_IN_ORDER, snapshotPageStatement } from '../../../../src/store/postgres/read/read-snapshot-page.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

const COUNT = 100_000
/** The first revision created all entries. The second changed a tenth and deleted another tenth. */
const [OLD, HEAD] = [1, 2]

let database: TestDatabase
let sql: Sql
let lookups: Sql

beforeAll(async () => {
  database = await createTestDatabase()
  sql = openPool(database.url, { connections: 1, settings: INDEX_LOOKUPS })
  lookups = openPool(database.url, { connections: 1, settings: { ...INDEX_LOOKUPS, ...LOOKED_UP } })
  const rows = (revision: number, operation: string, which: string) => `
    INSERT INTO change (ns, name, revision, operation, position, kind, meta, data, digest, version, meta_index)
    SELECT 'ns' || i % 500 || '.x', 'entry ' || i, ${revision}, '${operation}', i, 'kind.k' || i % 300, m::text, 'null', md5(i::text), ${revision}, m
    FROM generate_series(1, ${COUNT}) i CROSS JOIN LATERAL (SELECT jsonb_build_object(
      'number', i, 'title', 'Title of ' || i, 'nested', jsonb_build_object('deep', i % 5000), 'tags', jsonb_build_array('t' || i % 2000, 'u' || i % 3),
      'at', ${revision}) AS m) m WHERE ${which}`
  await sql.unsafe(rows(OLD, 'create', 'true'))
  await sql.unsafe(rows(HEAD, 'update', 'i % 10 = 0'))
  await sql.unsafe(
    `INSERT INTO change (ns, name, revision, operation, position) SELECT ns, name, ${HEAD}, 'delete', position FROM change WHERE revision = ${OLD} AND position % 10 = 1`,
  )
  await sql.unsafe('INSERT INTO entry_name SELECT ns, name FROM change WHERE revision = 1')
  await sql.unsafe(`INSERT INTO head SELECT ns, name, revision, version, kind, meta, data, digest, meta_index FROM change c
    WHERE operation <> 'delete' AND NOT EXISTS (SELECT FROM change n WHERE n.ns = c.ns AND n.name = c.name AND n.revision > c.revision)`)
  await sql.unsafe(`UPDATE head_pointer SET revision = ${HEAD}, version = ${HEAD}`)
  await sql.unsafe('VACUUM ANALYZE')
})

afterAll(async () => {
  await Promise.all([sql?.end({ timeout: 5 }), lookups?.end({ timeout: 5 })])
  await database?.drop()
})

const find = (criteria: JsonObject) => parseFind(criteria, compileRegex)
const where = (criteria: EntryFilterInput) => parseWhere(criteria, compileRegex)

async function plan(criteria: Criteria, order: EntryOrder, at: ReadAt): Promise<string> {
  const query = new FindQuery(criteria)
  const page = { limit: 100, after: null, before: null, fromEnd: false }
  if (query.isLookedUp) return explain(lookups, query.lookup(order, page, 101, at))
  return explain(sql, query.statement(order, page, 101, at))
}

async function explain(client: Sql, { text, params }: { text: string; params: readonly unknown[] }): Promise<string> {
  const rows = await client.unsafe(`EXPLAIN (ANALYZE, BUFFERS) ${text}`, params as never[])
  return rows.map((row) => row['QUERY PLAN'] as string).join('\n')
}

/** Returns the number of 8 kB pages that the statement read. */
function pagesRead(text: string): number {
  const [, hit = '0', read = '0'] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(text) ?? []
  return Number(hit) + Number(read)
}

describe.each<[string, ReadAt]>([
  ['at the head', 'head'],
  ['at an old revision', OLD],
])('finds among 100,000 entries, %s', (_, at) => {
  it.each<[string, Criteria]>([
    ['a meta field', find({ number: 77 })],
    ['a meta field at a path or flat', find({ 'nested.deep': 77 })],
    ['an array that holds a value', find({ tags: ['t77'] })],
    ['one of some values', where({ meta: [{ path: 'nested.deep', in: [1, 2, 3] }] })],
    ['a kind', find({ '.kind': 'kind.k77' })],
    ["a kind's prefix", where({ kind: { prefix: 'kind.k77' } })],
    ["a kind's glob", where({ kind: { glob: 'kind.k7*7' } })],
    ['an id', find({ '.id': 'ns77.x:entry 77' })],
    ['one of some ids', where({ id: { in: ['ns77.x:entry 77', 'ns78.x:entry 78'] } })],
    ['a prefix of ids', find({ '^.id': 'ns77.x:entry 7' })],
    ['a namespace', find({ '.ns': 'ns77.x' })],
    ['one of some namespaces', where({ ns: { in: ['ns77.x', 'ns78.x'] } })],
    ['a prefix of namespaces', where({ ns: { prefix: 'ns77' } })],
    ['a text within names', where({ name: { contains: 'ry 77777' } })],
    ["a name's end", where({ name: { suffix: ' 77777' } })],
    ["a name's glob", where({ name: { glob: '* 7777?' } })],
    ['an expression on names', where({ name: { regex: 'try 7777[0-9]$' } })],
    ['a text within ids', where({ id: { contains: 'ry 77777' } })],
    ['a text within ids, over the colon', where({ id: { contains: '277.x:entry 77777' } })],
    ["an id's end", where({ id: { suffix: ':entry 77777' } })],
    ['a text within namespaces', where({ ns: { contains: 's277.' } })],
    ["a namespace's end", where({ ns: { suffix: '277.x' } })],
    [
      'a text within names, among others',
      where({ name: { contains: 'ry 77777' }, kind: { prefix: 'kind' }, meta: [{ path: 'title', contains: 'Title' }] }),
    ],
    [
      'one of two texts within names',
      where({ or: [{ name: { suffix: ' 77777' } }, { name: { contains: 'y 1234' } }] }),
    ],
    [
      'one of two, each with its index',
      where({ or: [{ kind: { eq: 'kind.k77' } }, { meta: [{ path: 'number', eq: 5 }] }] }),
    ],
  ])('use an index for %s', async (_says, criteria) => {
    for (const order of ['ID_ASC', 'REVISION_DESC'] as const) {
      const text = await plan(criteria, order, at)
      expect(text, text).not.toMatch(/Seq Scan on (head|change|entry_name)\b/)
      // Out of about 2,500 (names) to 6,000 (entries): no index is read from end to end either.
      expect(pagesRead(text), text).toBeLessThan(order === 'ID_ASC' ? 2_500 : 6_000)
    }
  })

  it('read no more than the page for a page of everything', async () => {
    const text = await plan(find({}), 'ID_ASC', at)
    expect(pagesRead(text), text).toBeLessThan(1_000)
  })
})

describe('a page of an old state of 100,000 entries', () => {
  // Regression: the plan for any page sorted all entries for one in descending order, or used two parallel workers.
  it.each(['>', '<', 'all, from the end'])('is read in order by the plan that serves all pages (%s)', async (where) => {
    const after = where === '>' ? { id: parseEntryId('ns250.x:entry 250'), revision: OLD } : null
    const before = where === '<' ? { id: parseEntryId('ns250.x:entry 250'), revision: OLD } : null
    const { text, params } = snapshotPageStatement(
      { limit: 100, after, before, fromEnd: where !== '>' },
      false,
      101,
      OLD,
    )
    const pages = openPool(database.url, { connections: 1, settings: { ...INDEX_LOOKUPS, ...PLANNED_IN_ORDER } })
    try {
      await pages.unsafe(`PREPARE page AS ${text}`)
      const rows = await pages.unsafe(
        `EXPLAIN (ANALYZE, BUFFERS) EXECUTE page(${params.map((param) => (typeof param === 'number' ? param : `'${String(param)}'`)).join(', ')})`,
      )
      const plan = rows.map((row) => row['QUERY PLAN'] as string).join('\n')
      expect(plan).not.toMatch(/Sort|Gather|Hash/)
      expect(pagesRead(plan), plan).toBeLessThan(1_000)
    } finally {
      await pages.end({ timeout: 5 })
    }
  })
})

describe('a page by revision of a state of 100,000 entries after which little has changed', () => {
  // The first revision created all entries, so a page that sorted its changes would read all of them.
  it.each<[EntryOrder, boolean]>([
    ['REVISION_ASC', false],
    ['REVISION_DESC', false],
    ['REVISION_ASC', true],
    ['REVISION_DESC', true],
  ])('reads no more than the page (%s, from the end: %s)', async (order, fromEnd) => {
    const cursor = { id: parseEntryId('ns252.x:entry 252'), revision: OLD }
    const page = { limit: 100, after: fromEnd ? null : cursor, before: fromEnd ? cursor : null, fromEnd }
    const { text, params } = new FindQuery(find({})).statement(order, page, 101, HEAD, true)
    const rows = await sql.unsafe(`EXPLAIN (ANALYZE, BUFFERS) ${text}`, params as never[])
    const plan = rows.map((row) => row['QUERY PLAN'] as string).join('\n')
    expect(pagesRead(plan), plan).toBeLessThan(1_000)
  })

  // The log serves states of long ago, and the head recent ones.
  it.each<[string, Criteria]>([
    ['everything', find({})],
    ['a kind', find({ '.kind': 'kind.k77' })],
    ['a text within names', where({ name: { contains: 'ry 7777' } })],
    ['a meta field', find({ 'nested.deep': 70 })],
  ])('has the same rows from the head and from the log, for %s', async (_, criteria) => {
    const query = new FindQuery(criteria)
    for (const at of [OLD, HEAD])
      for (const order of ['REVISION_ASC', 'REVISION_DESC'] as const)
        for (const fromEnd of [false, true]) {
          const cursor = { id: parseEntryId('ns277.x:entry 77777'), revision: OLD }
          for (const page of [
            { limit: 30, after: null, before: null, fromEnd },
            { limit: 30, after: cursor, before: null, fromEnd },
            { limit: 30, after: null, before: cursor, fromEnd },
          ]) {
            const read = async (isRecent: boolean) => {
              const { text, params } = query.statement(order, page, 31, at, isRecent)
              return (await sql.unsafe(text, params as never[])).map(({ ns, name, revision, digest }) => [
                ns,
                name,
                revision,
                digest,
              ])
            }
            expect(await read(true)).toEqual(await read(false))
          }
        }
  })
})

// The planner walked all rows of `change` by `change_ns` for a find by an array's value, in 154 ms instead of 2. It does so
// without statistics, with those of a smaller table, and if an entry of its sample matches.
describe('the plans do not depend on the statistics', () => {
  const TABLES = ['change', 'head', 'entry_name']
  const clear = async () => {
    await sql.unsafe('ANALYZE')
    for (const table of TABLES) {
      await sql.unsafe(`SELECT pg_clear_relation_stats('public', '${table}')`)
      await sql.unsafe(
        `SELECT pg_clear_attribute_stats('public', '${table}', attname, false) FROM pg_stats WHERE tablename = '${table}'`,
      )
    }
  }
  /** As if a sample of the table had only one id, and this meta in that share of its rows. */
  const sampled = async (rows: number, share: number) => {
    const [found] = await sql.unsafe(
      `SELECT meta_index::text AS meta FROM change WHERE name = 'entry 77' AND revision = ${OLD}`,
    )
    const meta = String(found!['meta'])
    for (const table of TABLES) {
      await sql`SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', ${table}::text, 'relpages', 1, 'reltuples', ${rows}::real)`
      for (const column of ['ns', 'name', 'kind', 'revision'])
        await sql`SELECT pg_restore_attribute_stats('schemaname', 'public', 'relname', ${table}::text, 'attname', ${column}::text,
          'inherited', false, 'null_frac', 0::real, 'avg_width', 10, 'n_distinct', 1::real) FROM pg_attribute
          WHERE attrelid = ${table}::text::regclass AND attname = ${column}`
      await sql`SELECT pg_restore_attribute_stats('schemaname', 'public', 'relname', ${table}::text, 'attname', 'meta_index', 'inherited', false,
        'null_frac', 0::real, 'avg_width', 100, 'n_distinct', 1::real, 'most_common_vals', ${JSON.stringify([meta]).replace('[', '{').replace(/]$/, '}')}::text,
        'most_common_freqs', ARRAY[${share}]::real[]) FROM pg_attribute WHERE attrelid = ${table}::text::regclass AND attname = 'meta_index'`
    }
  }
  const STATES: [string, () => Promise<unknown>][] = [
    ['fresh', () => sql.unsafe('ANALYZE')],
    ['of no sample', clear],
    ['of a table of 20 rows, all of which matched', () => clear().then(() => sampled(20, 1))],
    ['of a sample in which one of a hundred matched', () => clear().then(() => sampled(COUNT, 0.01))],
  ]
  const LOOKED_UP_BY_META: [string, Criteria][] = [
    ['a field', find({ number: 77 })],
    ['a path or flat', find({ 'nested.deep': 77 })],
    ["an array's value", find({ tags: ['t77'] })],
    ['one of some', where({ meta: [{ path: 'nested.deep', in: [1, 2, 3] }] })],
    ['a field and a kind', find({ tags: ['t77'], '.kind': 'kind.k77' })],
    ['a field or a kind', where({ or: [{ kind: { eq: 'kind.k77' } }, { meta: [{ path: 'number', eq: 5 }] }] })],
  ]
  /** Walks of a table in some order, beside the primary key. */
  const WALK = /Seq Scan on (head|change|entry_name)\b|using (change_ns|change_revision|head_revision)\b/

  it('whatever they are (on servers that can be given some)', async () => {
    const [server] = await sql.unsafe("SELECT current_setting('server_version_num')::int AS number")
    if (server!['number'] < 180_000) return
    for (const [state, apply] of STATES) {
      await apply()
      for (const [what, criteria] of LOOKED_UP_BY_META)
        for (const at of ['head', OLD] as const)
          for (const order of ['ID_ASC', 'REVISION_DESC'] as const) {
            const text = await plan(criteria, order, at)
            const message = `statistics ${state}, ${what}, ${at}, ${order}\n${text}`
            // Of two conditions that have an index, the planner chooses one, or both.
            const index = what.includes(' and ')
              ? /(?:on|using) (?:head|change)_(?:meta|kind)/
              : /on (?:head|change)_meta/
            expect(text, message).toMatch(index)
            expect(text, message).not.toMatch(WALK)
            // A match costs one page, and looking its content up about four.
            expect(pagesRead(text), message).toBeLessThan(5_000)
          }
      for (const [what, statement] of [
        [
          'entries by id',
          {
            text: `SELECT h.* FROM unnest(ARRAY['ns77.x', 'ns78.x'], ARRAY['entry 77', 'entry 78']) AS wanted(ns, name) CROSS JOIN LATERAL (${latestChange('wanted', `${OLD}::bigint`)}) h`,
            params: [],
          },
        ],
        ['differences', { text: DIFFERENCES, params: [HEAD, HEAD + 1] }],
        [
          'a namespace',
          new FindQuery(find({ '.ns': 'ns77.x' })).statement(
            'ID_ASC',
            { limit: 100, after: null, before: null, fromEnd: false },
            101,
            OLD,
          ),
        ],
      ] as const) {
        const text = await explain(sql, statement)
        const message = `statistics ${state}, ${what}\n${text}`
        expect(text, message).toMatch(/using change_pkey on change last/)
        expect(text, message).not.toMatch(/using change_ns\b|Seq Scan on change last/)
        expect(pagesRead(text), message).toBeLessThan(2_000)
      }
    }
  })
})
