import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../../src/core/criteria/criteria.js'
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

  it('has its references indexed again page by page', async () => {
    const again = await open('other patterns')
    expect((await again.verify()).corruptions).toEqual([])
    await again.close()
  })
})
