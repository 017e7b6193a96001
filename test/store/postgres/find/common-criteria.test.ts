import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseFind } from '../../../../src/core/criteria/parse-find.js'
import type { History } from '../../../../src/store/contract/history.js'
import type { EntryPosition, ReadAt } from '../../../../src/store/contract/history-reader.js'
import { compileRegex } from '../../../../src/store/planning/compile-regex.js'
import { CommonCriteria } from '../../../../src/store/postgres/find/common-criteria.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { apply, create, historyOptions, update } from '../../../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

// A find looks up at most 2,000 rows by the index of meta. These match more, or exactly as many.
const COUNTS = { common: 2_500, full: 2_000, over: 2_001 }

describe('a find that matches more rows than it looks up', () => {
  let database: TestDatabase
  let history: History
  beforeAll(async () => {
    database = await createTestDatabase()
    history = await openPostgresHistory({ ...historyOptions, databaseUrl: database.url, backend: 'postgres' })
    const operations = Array.from({ length: COUNTS.common }, (_, i) => {
      const tags = Object.entries(COUNTS).flatMap(([tag, count]) => (i < count ? [tag] : []))
      return create(idOf(i), 'thing', { tags })
    })
    await apply(history, ...operations)
    // The log has more rows than the state has entries.
    await apply(history, ...operations.slice(0, 10).map(({ id }) => update(id, 'thing', { tags: ['other'] })))
  })
  afterAll(async () => {
    await history?.close()
    await database?.drop()
  })
  const idOf = (i: number) => `app:${String((i * 7_919) % COUNTS.common).padStart(5, '0')}`

  async function foundIds(tag: string, at: ReadAt): Promise<string[]> {
    const ids: string[] = []
    for (let after: EntryPosition | null = null; ; ) {
      const page = { limit: 700, after, before: null, fromEnd: false }
      const found = await history.findEntries(parseFind({ tags: [tag] }, compileRegex), 'ID_ASC', page, at)
      ids.push(...found.items.map(({ id }) => id))
      if (!found.hasMore) return ids
      after = found.items.at(-1)!
    }
  }

  it.each(Object.entries(COUNTS))('has all pages, also when it is repeated (%s)', async (tag, count) => {
    const expected = Array.from({ length: count }, (_, i) => idOf(i)).sort()
    const changed = new Set(Array.from({ length: 10 }, (_, i) => idOf(i)))
    for (const round of [1, 2]) {
      expect(await foundIds(tag, 1), `round ${round}`).toEqual(expected)
      expect(await foundIds(tag, 2)).toEqual(expected.filter((id) => !changed.has(id)))
      expect(await foundIds(tag, 'head')).toEqual(expected.filter((id) => !changed.has(id)))
    }
  })

  it('is remembered, unless its criteria are very long', () => {
    const common = new CommonCriteria()
    for (const key of ['short', 'x'.repeat(10_000)]) common.add(key)
    expect([common.has('short'), common.has('x'.repeat(10_000)), common.has('other')]).toEqual([true, false, false])
  })
})
