import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../../src/core/criteria/criteria.js'
import { parseEntryId } from '../../../../src/core/entry/entry-id.js'
import type { History } from '../../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import {
  apply,
  commitOne,
  create,
  expectApplied,
  historyOptions,
  remove,
  update,
  versionMove,
} from '../../../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

const COUNT = 5_000
/** All characters that COPY has to escape. */
const AWKWARD = 'tab\t newline\n return\r backslash\\ \\N \\. quote" ünïcödé 😀'

describe('a changeset large enough for COPY', () => {
  let database: TestDatabase
  let history: History
  const open = (referencesFingerprint: string) =>
    openPostgresHistory({
      ...historyOptions,
      // A changeset of 5,000 entries took longer than 20 s on a machine with a load of 8.
      commitTimeoutMs: 120_000,
      referencesFingerprint,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 2,
    })

  beforeAll(async () => {
    database = await createTestDatabase()
    history = await open('default')
  })
  afterAll(async () => {
    await history.close()
    await database.drop()
  })

  it('is written, rolled back and verified on one connection', async () => {
    const ids = Array.from({ length: COUNT }, (_, i) => `many:${String(i).padStart(5, '0')}`)
    await apply(
      history,
      ...ids.map((id, i) =>
        create(id, 'thing', { i, text: AWKWARD, depends_on: [ids[(i + 1) % COUNT], 'ns:few'] }, [AWKWARD, i]),
      ),
    )
    await apply(history, ...ids.map((id, i) => (i % 3 === 0 ? remove(id) : update(id, 'thing', { i: -i }, AWKWARD))))
    expect(await history.entryCount('head')).toBe(COUNT - Math.ceil(COUNT / 3))
    expectApplied(await commitOne(history, versionMove(1)))
    const { items } = await history.findEntries(
      EVERYTHING,
      'ID_ASC',
      { limit: 1_000, after: null, before: null, fromEnd: true },
      'head',
    )
    expect(items.map(({ content }) => content.data)).toEqual(items.map((_, i) => [AWKWARD, COUNT - 1_000 + i]))
    expect((await history.verify()).corruptions).toEqual([])
    // COPY beside other statements used to make the server end the connection, and the retry hid it.
    const admin = postgres(database.url, { max: 1 })
    const [{ aborted }] = await admin<[{ aborted: number }]>`
      SELECT xact_rollback::int AS aborted FROM pg_stat_database WHERE datname = current_database()`
    await admin.end()
    expect(aborted).toBe(0)
  })

  it('is written by COPY too if only its references or its contents are many', async () => {
    // Parameters of a statement are made in one piece, which took seconds for a million references.
    const targets = Array.from({ length: 1_000 }, (_, i) => `refs:${i}`)
    await apply(history, ...targets.slice(0, 8).map((id) => create(id, 'thing', { depends_on: targets })))
    await apply(
      history,
      ...['large:1', 'large:2'].map((large) => create(large, 'thing', {}, `${AWKWARD}😀`.repeat(13_000))),
    )
    await apply(history, update('large:1', 'thing', { depends_on: targets }, `😀${AWKWARD}`.repeat(13_000)))
    const large = (await history.entries([parseEntryId('large:1')], 'head')).get(parseEntryId('large:1'))
    expect(large!.content.data).toBe(`😀${AWKWARD}`.repeat(13_000))
    const target = { type: 'entry', id: parseEntryId('refs:999') } as const
    const found = await history.referencesTo([target], 2 ** 31, 100)
    expect(found.map(({ source, path }) => `${source} ${path}`)).toEqual([
      'large:1 meta.depends_on.999',
      ...targets.slice(0, 8).map((source) => `${source} meta.depends_on.999`),
    ])
    expect((await history.verify()).corruptions).toEqual([])
  })

  it('has its references indexed again page by page', async () => {
    const again = await open('other patterns')
    expect((await again.verify()).corruptions).toEqual([])
    await again.close()
  })
})
