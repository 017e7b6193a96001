import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Criteria } from '../../src/core/criteria/criteria.js'
import { compileMatcher } from '../../src/core/criteria/matcher.js'
import type { History } from '../../src/store/contract/history.js'
import type { EntryOrder, EntryPosition, ReadAt } from '../../src/store/contract/history-reader.js'
import { COMPARE_ENTRIES } from '../../src/store/memory/compare-entries.js'
import { openMemoryHistory } from '../../src/store/memory/memory-history.js'
import { compileRegex } from '../../src/store/planning/compile-regex.js'
import { openPostgresHistory } from '../../src/store/postgres/postgres-history.js'
import { criteriaArbitrary, entryArbitrary, type FinderEntry } from '../store/contract/finder-cases.js'
import {
  apply,
  commitOne,
  create,
  expectApplied,
  historyOptions,
  remove,
  update,
  versionMove,
} from '../support/commit-requests.js'
import { createTestDatabase } from '../support/test-postgres.js'

const ORDERS: readonly EntryOrder[] = ['ID_ASC', 'ID_DESC', 'REVISION_ASC', 'REVISION_DESC']

/** Consecutive states. A number instead moves the head back by that many versions. */
const lives = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.uniqueArray(entryArbitrary, { selector: ({ id }) => id, minLength: 10, maxLength: 30 }),
    },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  { minLength: 3, maxLength: 6 },
)

/** Makes operations that lead from a state to about these entries. */
function operations(before: ReadonlyMap<string, FinderEntry>, entries: readonly FinderEntry[]) {
  const wanted = new Map<string, FinderEntry>(entries.map((entry) => [entry.id, entry]))
  const gone = [...before.keys()].filter((id, i) => !wanted.has(id) && i % 2 === 0)
  return {
    after: new Map([...[...before].filter(([id]) => !gone.includes(id)), ...wanted]),
    sent: [
      ...gone.map((id) => remove(id)),
      ...entries.flatMap(({ id, kind, meta }) => {
        const known = before.get(id)
        if (known === undefined) return [create(id, kind, meta)]
        return known.kind === kind ? [update(id, kind, meta)] : [remove(id), create(id, kind, meta)]
      }),
    ],
  }
}

/** Reads all matches in pages, from the front or from the back. */
async function walk(
  history: History,
  criteria: Criteria,
  order: EntryOrder,
  at: ReadAt,
  limit: number,
  fromEnd: boolean,
) {
  const found: string[] = []
  let place: EntryPosition | null = null
  for (;;) {
    const page = { limit, after: fromEnd ? null : place, before: fromEnd ? place : null, fromEnd }
    const { items, hasMore } = await history.findEntries(criteria, order, page, at)
    const shown = items.map(({ id, revision, content }) => `${id} ${revision} ${content.digest}`)
    if (fromEnd) found.unshift(...shown)
    else found.push(...shown)
    expect(items.length).toBeLessThanOrEqual(limit)
    if (!hasMore) return found
    expect(items.length).toBe(limit)
    place = fromEnd ? items[0]! : items.at(-1)!
  }
}

describe('find in a random registry', () => {
  it('agrees with the matcher, in memory and in the database, at every revision, in pages from either end', {
    timeout: 600_000,
  }, async () => {
    let finds = 0
    let discriminating = 0
    for (const [run, life] of fc.sample(lives, { numRuns: 5, seed: 11 }).entries()) {
      const database = await createTestDatabase()
      const stored = await openPostgresHistory({
        ...historyOptions,
        databaseUrl: database.url,
        backend: 'postgres',
        connections: 4,
      })
      const model = openMemoryHistory(historyOptions)
      try {
        let state: ReadonlyMap<string, FinderEntry> = new Map()
        for (const step of life) {
          if (typeof step === 'number') {
            const version = Math.max(0, (await model.head()).version - step)
            for (const history of [stored, model]) expectApplied(await commitOne(history, versionMove(version)))
            state = new Map(
              (
                await model.findEntries(
                  { all: [] },
                  'ID_ASC',
                  { limit: 1_000, after: null, before: null, fromEnd: false },
                  'head',
                )
              ).items.map(({ id, content }) => [id, { id, kind: content.kind, meta: content.meta }]),
            )
          } else {
            const { sent, after } = operations(state, step)
            for (const history of [stored, model]) await apply(history, ...sent)
            state = after
          }
        }
        const { revision: head } = await model.head()
        for (const [i, criteria] of fc.sample(criteriaArbitrary(compileRegex), { numRuns: 40, seed: run }).entries()) {
          const matches = compileMatcher(criteria, compileRegex)
          for (const at of ['head', ...Array.from({ length: head + 1 }, (_, revision) => revision)] as const) {
            const order = ORDERS[(i + (at === 'head' ? 0 : at)) % ORDERS.length]!
            const everything = await model.findEntries(
              { all: [] },
              'ID_ASC',
              { limit: 1_000, after: null, before: null, fromEnd: false },
              at,
            )
            const expected = everything.items
              .filter(matches)
              .sort(COMPARE_ENTRIES[order])
              .map(({ id, revision, content }) => `${id} ${revision} ${content.digest}`)
            const limit = 1 + ((i * 7) % (expected.length + 2))
            const says = `${JSON.stringify(criteria)} ${order} at ${at}, pages of ${limit}`
            for (const history of [model, stored]) {
              expect(await walk(history, criteria, order, at, limit, false), says).toEqual(expected)
              expect(await walk(history, criteria, order, at, limit, true), says).toEqual(expected)
              expect(await history.countEntries(criteria, at), says).toBe(expected.length)
            }
            finds += 1
            if (expected.length > 0 && expected.length < everything.items.length) discriminating += 1
          }
        }
      } finally {
        await stored.close()
        await database.drop()
      }
    }
    expect(finds).toBeGreaterThan(500)
    // Enough criteria match some entries and not others. Those that match all or none prove less.
    expect(discriminating / finds).toBeGreaterThan(0.15)
  })
})
