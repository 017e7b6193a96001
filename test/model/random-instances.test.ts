import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import postgres from 'postgres'
import { afterAll, describe, expect, it } from 'vitest'
import type { EntryId } from '../../src/core/entry/entry-id.js'
import type { History } from '../../src/store/contract/history.js'
import { openMemoryHistory } from '../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../src/store/postgres/postgres-history.js'
import { acquire, codeOf, entry } from '../store/contract/instances-contract.js'
import {
  apply,
  changeset,
  commitOne,
  create,
  historyOptions,
  problemCodes,
  remove,
  update,
  versionMove,
} from '../support/commit-requests.js'
import { createTestDatabase } from '../support/test-postgres.js'

/*
 * A model of instances in plain lists, written from the specification. The test compares it with a store over random
 * acquires, renewals, releases, leaps of the clock, deletes, replacements and rollbacks.
 */

const ENTRIES = ['m:a', 'm:b', 'm:c'].map(entry)
const NAMES = ['one', 'two', 'three']

type Step =
  | { acquire: EntryId; name: string; ttl: number }
  | { renew: number; ttl: number | null }
  | { release: number }
  | { pass: number }
  | { delete: EntryId; force: boolean }
  | { create: EntryId }
  | { update: EntryId }
  | { replace: EntryId; force: boolean }
  | { moveTo: number; force: boolean }
  | { sweep: true }

// Durations are in seconds, and far longer than a run takes on a slow machine: in Postgres real time passes too.
const anEntry = fc.constantFrom(...ENTRIES)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      acquire: anEntry,
      name: fc.constantFrom(...NAMES),
      ttl: fc.constantFrom(600, 10_000, 80_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ renew: fc.nat(30), ttl: fc.constantFrom(null, 600, 20_000) }) },
  { weight: 2, arbitrary: fc.record({ release: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ pass: fc.constantFrom(2_000, 30_000) }) },
  { weight: 2, arbitrary: fc.record({ delete: anEntry, force: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ create: anEntry }) },
  { weight: 1, arbitrary: fc.record({ update: anEntry }) },
  { weight: 1, arbitrary: fc.record({ replace: anEntry, force: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ moveTo: fc.nat(20), force: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ sweep: true } as const) },
)

interface Held {
  id: string
  entry: EntryId
  name: string
  ttl: number
  until: number
  token: number
}

class Model {
  now = 0
  /** The kinds of the entries of each version. */
  versions: Map<EntryId, string>[] = [new Map()]
  head = 0
  held: Held[] = []
  ids: string[] = []

  get current() {
    return this.versions[this.head]!
  }
  live(of?: EntryId) {
    return this.held.filter(({ entry, until }) => until > this.now && (of === undefined || of === entry))
  }
  move(to: ReadonlyMap<EntryId, string>, force: boolean): EntryId[] {
    const ended = new Set([...this.current].filter(([id, kind]) => to.get(id) !== kind).map(([id]) => id))
    const used = [...ended].filter((id) => this.live(id).length > 0)
    if (used.length > 0 && !force) return used
    this.held = this.held.filter(({ entry }) => !ended.has(entry))
    return []
  }
  change(to: Map<EntryId, string>) {
    this.versions.push(to)
    this.head = this.versions.length - 1
  }
}

interface Store {
  history: History
  tokens: Map<EntryId, number>
  pass(seconds: number): Promise<void>
  clear(): Promise<void>
}

async function run(store: Store, steps: readonly Step[]): Promise<void> {
  const { history } = store
  const model = new Model()
  const start = (await history.head()).version
  const kinds = ['thing', 'other']
  let kind = 0
  for (const step of steps) {
    if ('acquire' in step) {
      const [id, ttlSeconds] = [randomUUID(), step.ttl]
      const expected = !model.current.has(step.acquire)
        ? 'ENTRY_NOT_FOUND'
        : model.live(step.acquire).some(({ name }) => name === step.name)
          ? 'INSTANCE_EXISTS'
          : 'none'
      const done = acquire(history, step.acquire, step.name, { id, ttlSeconds })
      expect([step, await codeOf(done)]).toEqual([step, expected])
      if (expected !== 'none') continue
      const { fencingToken } = await done
      // Tokens grow through all runs, even if the entry is deleted between them.
      expect(fencingToken).toBe((store.tokens.get(step.acquire) ?? 0) + 1)
      store.tokens.set(step.acquire, fencingToken)
      model.held = model.held.filter(({ entry, name }) => entry !== step.acquire || name !== step.name)
      model.held.push({
        id,
        entry: step.acquire,
        name: step.name,
        ttl: step.ttl,
        until: model.now + step.ttl,
        token: fencingToken,
      })
      model.ids.push(id)
    } else if ('renew' in step) {
      const id = model.ids[step.renew] ?? randomUUID()
      const held = model.live().find((each) => each.id === id)
      expect([step, await codeOf(history.instances.renew(id, step.ttl))]).toEqual([
        step,
        held === undefined ? 'INSTANCE_EXPIRED' : 'none',
      ])
      if (held !== undefined) {
        held.ttl = step.ttl ?? held.ttl
        held.until = model.now + held.ttl
      }
    } else if ('release' in step) {
      const id = model.ids[step.release] ?? randomUUID()
      const held = model.live().some((each) => each.id === id)
      expect([step, await history.instances.release(id)]).toEqual([step, held])
      if (held) model.held = model.held.filter((each) => each.id !== id)
    } else if ('pass' in step) {
      await store.pass(step.pass)
      model.now += step.pass
    } else if ('sweep' in step) {
      const next = await history.instances.sweep()
      const live = model.live().map(({ until }) => (until - model.now) * 1_000)
      if (live.length === 0) expect(next).toBeNull()
      else expect(Math.abs(next! - Math.min(...live))).toBeLessThan(500_000)
    } else if ('moveTo' in step) {
      const to = step.moveTo % model.versions.length
      // Previous runs have used v0 of this registry too.
      if (to === 0) continue
      const codes = problemCodes(
        await commitOne(history, {
          ...versionMove(start + to),
          action: { type: 'version', version: start + to, force: step.force },
        }),
      )
      const used = model.move(model.versions[to]!, step.force)
      expect([step, codes]).toEqual([step, used.map(() => 'ENTRY_IN_USE')])
      if (used.length === 0) model.head = to
    } else {
      const id =
        'delete' in step ? step.delete : 'create' in step ? step.create : 'update' in step ? step.update : step.replace
      const exists = model.current.has(id)
      if ('create' in step) {
        expect(problemCodes(await commitOne(history, changeset([create(id, kinds[kind]!)])))).toEqual(
          exists ? ['ENTRY_EXISTS'] : [],
        )
        if (!exists) model.change(new Map([...model.current, [id, kinds[kind]!]]))
      } else if (!exists) continue
      else if ('delete' in step) {
        const to = new Map([...model.current].filter(([each]) => each !== id))
        const codes = problemCodes(await commitOne(history, changeset([{ ...remove(id), force: step.force }])))
        const used = model.move(to, step.force)
        expect([step, codes]).toEqual([step, used.map(() => 'ENTRY_IN_USE')])
        if (used.length === 0) model.change(to)
      } else if ('replace' in step) {
        kind = 1 - kind
        const to = new Map([...model.current, [id, kinds[kind]!]])
        const operations = [{ ...remove(id), force: step.force }, create(id, kinds[kind]!)]
        const codes = problemCodes(await commitOne(history, changeset(operations)))
        const used = model.move(to, step.force)
        expect([step, codes]).toEqual([step, used.map(() => 'ENTRY_IN_USE')])
        if (used.length === 0) model.change(to)
      } else {
        const now = (await history.entries([id], 'head')).get(id)!
        await apply(history, update(id, now.content.kind, { n: Math.random() }))
        model.change(new Map(model.current))
      }
    }
    const { of } = await history.instances.live(ENTRIES)
    const shown = ENTRIES.flatMap((id) => (of.get(id) ?? []).map((held) => [id, held.name, held.id, held.fencingToken]))
    expect([step, shown]).toEqual([
      step,
      ENTRIES.flatMap((id) =>
        model
          .live(id)
          .sort((a, b) => a.token - b.token)
          .map((held) => [id, held.name, held.id, held.token]),
      ),
    ])
  }
  await store.clear()
}

describe('random lives of instances agree with the model', () => {
  const closing: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const close of closing) await close()
  })

  /** Deletes the entries of the previous run. */
  const cleared = (history: History) => async () => {
    const current = [...(await history.entries(ENTRIES, 'head'))].map(([id]) => ({ ...remove(id), force: true }))
    if (current.length > 0) await apply(history, ...current)
    else {
      await apply(history, create('m:spare'))
      await apply(history, remove('m:spare'))
    }
  }
  const STORES: Record<string, () => Promise<{ store: Store; runs: number }>> = {
    memory: async () => {
      let leapt = 0
      const history = openMemoryHistory(historyOptions, { clock: () => leapt })
      closing.push(() => history.close())
      return {
        store: {
          history,
          tokens: new Map(),
          pass: async (seconds) => {
            leapt += seconds * 1_000
          },
          clear: cleared(history),
        },
        runs: 300,
      }
    },
    Postgres: async () => {
      const database = await createTestDatabase()
      const history = await openPostgresHistory({
        ...historyOptions,
        databaseUrl: database.url,
        backend: 'postgres',
        connections: 4,
      })
      const sql = postgres(database.url, { max: 1 })
      closing.push(async () => {
        await sql.end()
        await history.close()
        await database.drop()
      })
      const pass = async (seconds: number) => {
        await sql`UPDATE instance SET expires_at = expires_at - ${`${seconds} seconds`}::interval`
      }
      return { store: { history, tokens: new Map(), pass, clear: cleared(history) }, runs: 60 }
    },
  }

  it.each(Object.keys(STORES))(
    'over %s',
    async (name) => {
      const { store, runs } = await STORES[name]!()
      await apply(store.history, create('m:spare'))
      await apply(store.history, remove('m:spare'))
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => run(store, steps)),
        { numRuns: runs, endOnFailure: true },
      )
      expect((await store.history.verify()).corruptions).toEqual([])
    },
    600_000,
  )
})
