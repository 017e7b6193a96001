import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../../src/core/criteria/criteria.js'
import type { EntryRevision } from '../../../../src/core/entry/entry.js'
import type { History } from '../../../../src/store/contract/history.js'
import type { EntryPosition, Page } from '../../../../src/store/contract/history-reader.js'
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

const REVISIONS = 40
const IDS = Array.from({ length: 24 }, (_, i) => `${['a', 'a.b', 'b'][i % 3]}:${['x', 'y', '\ufffd', '😀'][i % 4]}${i}`)
const everything: Page<EntryPosition> = { limit: 1_000, after: null, before: null, fromEnd: false }

let database: TestDatabase
let history: History
/** The entries of each revision, as read at the head at that time. */
const states: (readonly EntryRevision[])[] = []

/** Repeatable random numbers, so that a failure can be reproduced. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x7fffffff) * below) % below
  }
}

beforeAll(async () => {
  database = await createTestDatabase()
  history = await openPostgresHistory({
    ...historyOptions,
    databaseUrl: database.url,
    backend: 'postgres',
    connections: 4,
  })
  const any = seeded(7)
  const there = new Set<string>()
  const stands = async () => (await history.findEntries(EVERYTHING, 'ID_ASC', everything, 'head')).items
  states.push(await stands())
  for (let revision = 1; revision <= REVISIONS; revision++) {
    if (revision % 9 === 0) expectApplied(await commitOne(history, versionMove(any(Math.min(revision - 2, 20)) + 1)))
    else {
      const touched = [...new Set(Array.from({ length: 1 + any(5) }, () => IDS[any(IDS.length)]!))]
      await apply(
        history,
        ...touched.map((id) => {
          if (!there.has(id)) return create(id, 'thing', { revision })
          return any(2) === 0 ? remove(id) : update(id, 'thing', { revision })
        }),
      )
    }
    states.push(await stands())
    there.clear()
    for (const { id } of states.at(-1)!) there.add(id)
  }
})

afterAll(async () => {
  await history?.close()
  await database?.drop()
})

const shown = (entries: readonly EntryRevision[]) =>
  entries.map(({ id, revision, version, content }) => [
    id,
    revision,
    version,
    content.kind,
    content.metaText,
    content.digest,
  ])

describe('pages of a snapshot', () => {
  it('have the entries of that revision, although entries were changed, deleted or created again since', async () => {
    expect((await history.head()).revision).toBe(REVISIONS)
    for (const [revision, state] of states.entries()) {
      const ascending = await history.findEntries(EVERYTHING, 'ID_ASC', everything, revision)
      expect({ revision, items: shown(ascending.items) }).toEqual({ revision, items: shown(state) })
      const descending = await history.findEntries(EVERYTHING, 'ID_DESC', everything, revision)
      expect(shown(descending.items)).toEqual(shown([...state].reverse()))
    }
  })

  it('begin and end at the requested positions, from either end, in either order', async () => {
    const any = seeded(11)
    for (let i = 0; i < 200; i++) {
      const revision = any(REVISIONS + 1)
      const isDescending = any(2) === 0
      const state = isDescending ? [...states[revision]!].reverse() : states[revision]!
      const [from, to] = [any(state.length + 1) - 1, any(state.length + 1)].sort((a, b) => a - b) as [number, number]
      const limit = 1 + any(6)
      const fromEnd = any(2) === 0
      const within = state.slice(from + 1, to)
      const page = await history.findEntries(
        EVERYTHING,
        isDescending ? 'ID_DESC' : 'ID_ASC',
        {
          limit,
          fromEnd,
          after: from < 0 ? null : state[from]!,
          before: to >= state.length ? null : state[to]!,
        },
        revision,
      )
      expect(shown(page.items)).toEqual(shown(fromEnd ? within.slice(-limit) : within.slice(0, limit)))
      expect(page.hasMore).toBe(within.length > limit)
      expect(page.revision).toBe(revision)
    }
  })

  it('are refused below the oldest revision, even if they would be empty', async () => {
    await history.compact({ before: 10, dryRun: false })
    const last = states[9]!.at(-1)!
    for (const page of [everything, { ...everything, after: last }]) {
      await expect(history.findEntries(EVERYTHING, 'ID_ASC', page, 9)).rejects.toMatchObject({
        code: 'COMPACTED',
        details: { oldestRevision: 10 },
      })
    }
    expect(shown((await history.findEntries(EVERYTHING, 'ID_ASC', everything, 10)).items)).toEqual(shown(states[10]!))
  })
})
