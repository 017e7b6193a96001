import * as fc from 'fast-check'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Criteria } from '../../../../src/core/criteria/criteria.js'
import { compileMatcher } from '../../../../src/core/criteria/matcher.js'
import { parseFind } from '../../../../src/core/criteria/parse-find.js'
import { type EntryFilterInput, parseWhere } from '../../../../src/core/criteria/parse-where.js'
import { entryIdParts } from '../../../../src/core/entry/entry-id.js'
import type { Json, JsonObject } from '../../../../src/core/entry/json.js'
import { compileRegex } from '../../../../src/store/planning/compile-regex.js'
import { translateCriteria } from '../../../../src/store/postgres/find/translate-criteria.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'
import {
  criteriaArbitrary,
  criteriaOf,
  entryArbitrary,
  FINDER_CASES,
  FINDER_ENTRIES,
  type FinderEntry,
} from '../../contract/finder-cases.js'

const COLUMNS = { ns: 't.ns', name: 't.name', kind: 't.kind', meta: 't.meta' }

let database: TestDatabase
let sql: postgres.Sql

beforeAll(async () => {
  database = await createTestDatabase()
  sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  await createTable('entry')
})

afterAll(async () => {
  await sql?.end({ timeout: 5 })
  await database?.drop()
})

/** Creates a table with the indexes that the store has on its head. */
async function createTable(table: string): Promise<void> {
  await sql.unsafe(`
    CREATE TABLE ${table} (ns text COLLATE "C", name text COLLATE "C", kind text COLLATE "C" NOT NULL, meta jsonb NOT NULL, PRIMARY KEY (ns, name));
    CREATE INDEX ON ${table} (kind, ns, name);
    CREATE INDEX ON ${table} USING gin (meta jsonb_path_ops);`)
}

async function fill(table: string, entries: readonly FinderEntry[]): Promise<void> {
  await sql.unsafe(`TRUNCATE ${table}`)
  const rows = entries.map(({ id, kind, meta }) => ({ ...entryIdParts(id), kind, meta }))
  await sql.unsafe(
    `INSERT INTO ${table} SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS r(ns text, name text, kind text, meta jsonb)`,
    [JSON.stringify(rows)],
  )
}

async function found(criteria: Criteria, firstParam = 1): Promise<{ ids: Set<string>; exact: boolean; text: string }> {
  const { text, params, exact } = translateCriteria(criteria, COLUMNS, firstParam)
  const before = Array.from({ length: firstParam - 1 }, (_, i) => `unused ${i}`)
  const used = before.map((_, i) => `$${i + 1}::text IS NOT NULL AND `).join('')
  const rows = await sql.unsafe<{ id: string }[]>(
    `SELECT ns || ':' || name AS id FROM entry t WHERE ${used}(${text})`,
    [...before, ...params],
  )
  return { ids: new Set(rows.map(({ id }) => id)), exact, text }
}

/** Compares SQL with the matcher, and returns whether the SQL was exact and whether the criteria select at all. */
async function expectAgreement(
  criteria: Criteria,
  entries: readonly FinderEntry[],
): Promise<{ exact: boolean; tells: boolean }> {
  const matches = compileMatcher(criteria, compileRegex)
  const expected = entries
    .filter(({ id, kind, meta }) => matches({ id, content: { kind, meta, data: null } }))
    .map(({ id }) => id as string)
  const { ids, exact, text } = await found(criteria)
  const explained = `${JSON.stringify(criteria)}\n${text}`
  if (exact) expect([...ids].sort(), explained).toEqual([...expected].sort())
  else
    expect(
      expected.filter((id) => !ids.has(id)),
      explained,
    ).toEqual([])
  return { exact, tells: expected.length > 0 && expected.length < entries.length }
}

describe('criteria as SQL', () => {
  it('find at least the expected entries of every finder case', async () => {
    await fill('entry', FINDER_ENTRIES)
    let exact = 0
    for (const finderCase of FINDER_CASES) {
      const criteria = criteriaOf(finderCase, compileRegex)
      const answer = await found(criteria)
      expect([...answer.ids], finderCase.says).toEqual(expect.arrayContaining([...finderCase.expected]))
      if (answer.exact)
        expect([...answer.ids].sort(), `${finderCase.says}\n${answer.text}`).toEqual([...finderCase.expected].sort())
      if (answer.exact) exact++
    }
    // Only regular expressions may need a second check.
    const withRegex = FINDER_CASES.filter((finderCase) =>
      JSON.stringify(criteriaOf(finderCase, compileRegex)).includes('"regex"'),
    )
    expect(exact).toBeGreaterThanOrEqual(FINDER_CASES.length - withRegex.length)
  })

  it('never miss a match, and are exact if they claim to be, for any entries and criteria', async () => {
    const batches = fc.sample(
      fc.uniqueArray(entryArbitrary, { selector: ({ id }) => id, minLength: 60, maxLength: 100 }),
      { numRuns: 6, seed: 7 },
    )
    let exact = 0
    let tells = 0
    let total = 0
    for (const [i, entries] of batches.entries()) {
      await fill('entry', entries)
      for (const criteria of fc.sample(criteriaArbitrary(compileRegex), { numRuns: 250, seed: i })) {
        total++
        const agreement = await expectAgreement(criteria, entries)
        if (agreement.exact) exact++
        if (agreement.tells) tells++
      }
    }
    expect(exact / total).toBeGreaterThan(0.7)
    // Many match some entries and not others. Those that match all or none prove less.
    expect(tells / total).toBeGreaterThan(0.2)
  })

  it('number their parameters from the given number on', async () => {
    await fill('entry', FINDER_ENTRIES)
    const criteria = parseFind({ '.ns': 'app', type: 'sql', tags: ['main', 'store'] }, compileRegex)
    expect(translateCriteria(criteria, COLUMNS, 4).text).toContain('$4::text')
    expect((await found(criteria, 4)).ids).toEqual(new Set(['app:db']))
  })

  it('send an equal text once', () => {
    const { params } = translateCriteria(parseFind({ '^a': 'x', $a: 'x', '*a': 'x' }, compileRegex), COLUMNS)
    expect(params).toEqual(['a', 'x'])
  })

  it('are exact except for regular expressions, beyond their literal text', () => {
    const exact = (where: EntryFilterInput) => translateCriteria(parseWhere(where, compileRegex), COLUMNS).exact
    expect(exact({ name: { regex: 'plain' } })).toBe(true)
    expect(exact({ name: { regex: '^plain' } })).toBe(true)
    expect(exact({ name: { regex: 'plai?n' } })).toBe(false)
    expect(exact({ not: { name: { regex: 'plai?n' } } })).toBe(false)
    expect(exact({ or: [{ name: { regex: 'plai?n' } }, {}] })).toBe(true)
    expect(exact({ and: [{ name: { regex: 'plai?n' } }, { or: [] }] })).toBe(true)
  })

  it('accept the largest criteria that are allowed', async () => {
    await fill('entry', FINDER_ENTRIES)
    const meta = Array.from({ length: 490 }, (_, i) => ({
      path: `a${i}.b.c.d.e`,
      in: Array.from({ length: 20 }, (_, j) => `value ${i} ${j}` as Json),
    }))
    const { ids } = await found(parseWhere({ or: meta.map((filter) => ({ meta: [filter] })) }, compileRegex))
    expect(ids).toEqual(new Set())
  })
})

describe('finds among 100,000 entries', () => {
  const count = 100_000

  beforeAll(async () => {
    await createTable('many')
    await sql.unsafe(`
      INSERT INTO many SELECT 'ns' || i % 500, 'entry ' || i, 'kind.k' || i % 300, jsonb_build_object(
        'number', i, 'title', 'Title of ' || i, 'nested', jsonb_build_object('deep', i % 5000),
        'tags', jsonb_build_array('t' || i % 2000, 'u' || i % 3, i % 2 = 0))
      FROM generate_series(1, ${count}) i`)
    await sql.unsafe('VACUUM ANALYZE many')
  })

  async function plan(criteria: Criteria): Promise<string> {
    const { text, params } = translateCriteria(criteria, COLUMNS)
    const rows = await sql.unsafe(`EXPLAIN SELECT * FROM many t WHERE ${text}`, [...params])
    return rows.map((row) => row['QUERY PLAN'] as string).join('\n')
  }

  const find = (criteria: JsonObject) => parseFind(criteria, compileRegex)
  const where = (criteria: EntryFilterInput) => parseWhere(criteria, compileRegex)

  it.each<[string, Criteria]>([
    ['a meta field', find({ number: 77 })],
    ['a meta field at a path or flat', find({ 'nested.deep': 77 })],
    ['an object in meta', find({ nested: { deep: 77 } })],
    ['an array that holds a value', find({ tags: ['t77'] })],
    ['an array that holds several values', find({ tags: ['t77', 'u2'] })],
    ['an array in meta', where({ meta: [{ path: 'tags', eq: ['t77', 'u2', false] }] })],
    ['one of some values', where({ meta: [{ path: 'nested.deep', in: [1, 2, 3] }] })],
    ['a kind', find({ '.kind': 'kind.k77' })],
    ['one of some kinds', where({ kind: { in: ['kind.k7', 'kind.k77'] } })],
    ["a kind's prefix", find({ '.kind': 'kind.k77*' })],
    ['an id', find({ '.id': 'ns77:entry 77' })],
    ['one of some ids', where({ id: { in: ['ns77:entry 77', 'ns78:entry 78'] } })],
    ['a prefix of ids', find({ '^.id': 'ns77:entry 7' })],
    ['a glob of ids', find({ '.id': 'ns77:*7' })],
    ['a prefix of namespaces', find({ '^.id': 'ns77' })],
    ['a namespace', find({ '.ns': 'ns77' })],
    ['an anchored expression', find({ '~.id': '^ns77:entry [0-9]+$' })],
    ['one of two', where({ or: [{ kind: { eq: 'kind.k77' } }, { meta: [{ path: 'number', eq: 5 }] }] })],
    ['a meta field and what no index serves', find({ number: 77, '*title': 'of' })],
  ])('use an index for %s', async (_, criteria) => {
    expect(await plan(criteria)).not.toContain('Seq Scan on many')
  })

  it('read few rows for selective criteria', async () => {
    const { text, params } = translateCriteria(find({ 'nested.deep': 77, '.kind': 'kind.*' }), COLUMNS)
    const counted = await sql.unsafe<{ n: number }[]>(`SELECT count(*)::int AS n FROM many t WHERE ${text}`, [
      ...params,
    ])
    expect(counted[0]!.n).toBe(count / 5000)
    const plan = await sql.unsafe(`EXPLAIN (ANALYZE) SELECT * FROM many t WHERE ${text}`, [...params])
    const removed = plan.map((row) => /Rows Removed by (?:Filter|Index Recheck): (\d+)/.exec(row['QUERY PLAN'])?.[1])
    expect(removed.reduce((sum, rows) => sum + Number(rows ?? 0), 0)).toBeLessThan(1_000)
  })
})
