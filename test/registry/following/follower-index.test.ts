import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import type { Criteria } from '../../../src/core/criteria/criteria.js'
import { compileField } from '../../../src/core/criteria/field.js'
import { compileMatcher } from '../../../src/core/criteria/matcher.js'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import { sealContent } from '../../../src/core/entry/seal-content.js'
import type { Change } from '../../../src/core/history/change.js'
import { createRegistry } from '../../../src/registry/create-registry.js'
import { filteredChange } from '../../../src/registry/following/filtered-change.js'
import type { ChangeBatch } from '../../../src/registry/following/follow-input.js'
import { indexKeyOf, isScalar } from '../../../src/registry/following/index-key.js'
import { candidateChanges } from '../../../src/registry/following/page-index.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { LogPage } from '../../../src/store/contract/history-reader.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { compileRegex } from '../../../src/store/planning/compile-regex.js'
import { sha256 } from '../../../src/store/planning/sha256.js'
import { criteriaArbitrary, entryArbitrary, type FinderEntry } from '../../store/contract/finder-cases.js'
import {
  apply,
  countReads,
  create,
  fold,
  HISTORY_OPTIONS,
  memoryRegistry,
  nextOf,
  references,
  registryOver,
  remove,
  stateAt,
  update,
} from '../registry-fixture.js'

const ns = (value: string): Criteria => ({ field: { root: 'ns' }, test: { operator: 'equals', value } })
const red: Criteria = { field: { meta: 'color' }, test: { operator: 'equals', value: 'red' } }

function followed(
  registry: Registry,
  criteria: Criteria,
  signal: AbortSignal,
  after: string | null = null,
): AsyncIterableIterator<ChangeBatch> {
  return registry.follow({ after, criteria, initial: false, signal })
}

describe('indexKeyOf', () => {
  const criteriaGiven = criteriaArbitrary(compileRegex)

  it('returns a field in which every matching entry holds one of a few values', () => {
    let indexed = 0
    fc.assert(
      fc.property(criteriaGiven, fc.array(entryArbitrary, { minLength: 5, maxLength: 10 }), (criteria, entries) => {
        const indexKey = indexKeyOf(criteria)
        if (indexKey === null) return
        indexed += 1
        const matches = compileMatcher(criteria, compileRegex)
        const valuesOf = compileField(indexKey.field)
        for (const { id, kind, meta } of entries) {
          const entry = { id, content: { kind, meta, data: null } }
          if (matches(entry))
            expect(
              valuesOf(entry).some((value) => isScalar(value) && indexKey.values.some((wanted) => wanted === value)),
            ).toBe(true)
        }
      }),
      { numRuns: 1_000 },
    )
    expect(indexed).toBeGreaterThan(50)
  })

  it('returns null for more than 1,000 values, in one condition or in several', () => {
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
    const among = (values: readonly number[]): Criteria => ({ field: { meta: 'n' }, test: { operator: 'in', values } })
    const values = (criteria: Criteria) => indexKeyOf(criteria)?.values.length ?? null
    expect(values(among(numbers(0, 1_000)))).toBe(1_000)
    expect(values(among(numbers(0, 1_001)))).toBe(null)
    expect(values({ any: [among(numbers(0, 600)), among(numbers(600, 1_000))] })).toBe(1_000)
    expect(values({ any: [among(numbers(0, 600)), among(numbers(600, 1_001))] })).toBe(null)
    expect(values({ any: [among(numbers(0, 600)), among(numbers(0, 600))] })).toBe(600)
  })

  it('omits no change of a page that the filter sees, and keeps their order', () => {
    const sealed = ({ id, kind, meta }: FinderEntry, revision: number) => ({
      id,
      revision,
      version: revision,
      content: (
        runAtOnce(sealContent({ kind, meta, data: null }, { sha256, maxDepth: 100, maxEntryBytes: 1 << 20 })) as {
          content: never
        }
      ).content,
    })
    fc.assert(
      fc.property(
        criteriaGiven,
        fc.array(fc.tuple(fc.option(entryArbitrary), fc.option(entryArbitrary)), { minLength: 5, maxLength: 20 }),
        (criteria, pairs) => {
          const changes = pairs
            .filter(([before, after]) => before !== null || after !== null)
            .map(([before, after], i): Change => {
              const id = (after ?? before)!.id
              return {
                revision: 1 + (i >> 2),
                position: i & 3,
                id,
                kind: before === null ? 'CREATE' : after === null ? 'DELETE' : 'UPDATE',
                entry: after && sealed({ ...after, id }, 2),
                previous: before && sealed({ ...before, id }, 1),
              }
            })
          const page: LogPage = {
            transitions: [],
            changes,
            upTo: { revision: 9, position: Infinity },
            head: { revision: 9, version: 9 },
          }
          const matches = compileMatcher(criteria, compileRegex)
          const seen = (among: readonly Change[]) =>
            among.map((change) => filteredChange(change, matches)).filter((change) => change !== null)
          expect(seen(candidateChanges(page, indexKeyOf(criteria)))).toEqual(seen(changes))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('returns the most selective field of conditions that must all hold', () => {
    const kind: Criteria = { field: { root: 'kind' }, test: { operator: 'in', values: ['a', 'b'] } }
    expect(indexKeyOf({ all: [red, kind, ns('x')] })).toEqual({ field: { root: 'ns' }, values: ['x'] })
    expect(indexKeyOf({ any: [ns('x'), ns('y')] })).toEqual({ field: { root: 'ns' }, values: ['x', 'y'] })
    expect(indexKeyOf({ any: [ns('x'), kind] })).toBeNull()
    expect(indexKeyOf({ not: ns('x') })).toBeNull()
    expect(indexKeyOf({ all: [] })).toBeNull()
  })
})

describe('FollowerIndex', () => {
  it('wakes only followers that may match a change, however many there are', async () => {
    // Previously each follower checked every change: with 1,000 filters, 1,000 checks for a change that concerned one.
    let checks = 0
    const counting = (pattern: string) => {
      const regex = compileRegex(pattern)
      return {
        ...regex,
        test: (text: string) => {
          checks += 1
          return regex.test(text)
        },
      }
    }
    const registry = createRegistry({ history: openMemoryHistory(HISTORY_OPTIONS), references, compileRegex: counting })
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const streams = Array.from({ length: 300 }, (_, i) =>
      followed(
        registry,
        { all: [{ field: { root: 'name' }, test: { operator: 'regex', pattern: '^x' } }, ns(`n${i}`)] },
        end.signal,
      ),
    )
    for (const stream of streams) await nextOf(stream)
    const waiting = streams.map((stream) => nextOf(stream))
    await sleep(20)
    for (let i = 0; i < 300; i++) await apply(registry, create(`n${i}:x`), create(`other:${i}`))
    for (const [i, batch] of (await Promise.all(waiting)).entries())
      expect(batch).toMatchObject({ revision: i + 1, version: i + 1, complete: true, synced: true })
    expect(checks).toBe(300)
    end.abort()
  })

  it.each([
    ['no value', (_: number): Criteria => ({ all: [] })],
    ['one value', (_: number): Criteria => ns('a')],
    ['a field each', (i: number): Criteria => ({ field: { meta: `f${i}` }, test: { operator: 'equals', value: 1 } })],
  ])('evaluates the filters of followers that share %s in many turns of the event loop', async (_, shared) => {
    // 2,048 filters in one turn took each write from 11 to 240 ms.
    let checks = 0
    const counting = (pattern: string) => {
      const regex = compileRegex(pattern)
      return {
        ...regex,
        test: (text: string) => {
          checks += 1
          return regex.test(text)
        },
      }
    }
    const registry = createRegistry({ history: openMemoryHistory(HISTORY_OPTIONS), references, compileRegex: counting })
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const matching = (i: number): Criteria => ({
      all: [{ field: { root: 'name' }, test: { operator: 'regex', pattern: `^x(${i})?` } }, shared(i)],
    })
    const streams = Array.from({ length: 500 }, (_, i) => followed(registry, matching(i), end.signal))
    for (const stream of streams) await nextOf(stream)
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, 1]))
    const received = streams.map(async (stream) => {
      const names: string[] = []
      for (let batch = await nextOf(stream); ; batch = await nextOf(stream)) {
        names.push(...batch.changes.map(({ id }) => id))
        if (names.length >= 3) return names
      }
    })
    let most = 0
    let last = 0
    let isOver = false
    const watch = () => {
      most = Math.max(most, checks - last)
      last = checks
      if (!isOver) setImmediate(watch)
    }
    watch()
    for (const name of ['x1', 'x2', 'x3']) await apply(registry, create(`a:${name}`, fields))
    for (const names of await Promise.all(received)) expect(names).toEqual(['a:x1', 'a:x2', 'a:x3'])
    isOver = true
    expect(checks).toBe(1_500)
    expect(most).toBeLessThanOrEqual(300)
    end.abort()
  })

  it('moves the cursors of followers that skip changes, without a query', async () => {
    const counted = countReads(openMemoryHistory(HISTORY_OPTIONS))
    // Far less than what passes them by.
    const registry = registryOver(counted.history, {
      progressMs: 150,
      logTail: { windowBytes: 5_000, backstopMs: 30_000 },
    })
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const streams = Array.from({ length: 150 }, (_, i) =>
      followed(registry, i % 2 === 0 ? ns(`n${i}`) : { all: [red, ns(`n${i}`)] }, end.signal),
    )
    for (const stream of streams) await nextOf(stream)
    const waiting = streams.map((stream) => nextOf(stream))
    await sleep(10)
    const idle = counted.reads
    for (let i = 1; i <= 40; i++) await apply(registry, create(`other:${i}`, { text: 'x'.repeat(500) }))
    const received = await Promise.all(waiting)
    const { revision: head } = await registry.history.head()
    expect(counted.reads - idle).toBeLessThan(150)
    for (const batch of received) {
      expect(batch).toMatchObject({ changes: [], complete: true, synced: true })
      expect(batch.version).toBe(batch.revision)
      expect(batch.revision).toBeGreaterThan(0)
      expect(batch.revision).toBeLessThanOrEqual(head)
    }
    await apply(registry, create('n7:1', { color: 'red' }))
    const again = followed(registry, ns('n7'), end.signal, received[7]!.cursor)
    expect((await nextOf(again)).changes.map(({ id }) => id)).toEqual(['n7:1'])
    end.abort()
  })

  it('completes a revision of which a part was sent, even if the rest does not match', async () => {
    // A skip point alone would not report that the revision is complete before the next one that matches.
    const registry = memoryRegistry()
    const end = new AbortController()
    const stream = followed(registry, ns('a'), end.signal)
    await nextOf(stream)
    const first = nextOf(stream)
    await apply(
      registry,
      ...Array.from({ length: 20 }, (_, i) => create(`a:${i}`)),
      ...Array.from({ length: 1_200 }, (_, i) => create(`b:${i}`)),
    )
    const batches = [await first]
    while (!batches.at(-1)!.complete) batches.push(await nextOf(stream))
    expect(batches.flatMap(({ changes }) => changes)).toHaveLength(20)
    expect(batches.at(-1)!.revision).toBe(1)
    end.abort()
  })

  it('gives at every revision what `entries` with the same filter gives, for any filter', async () => {
    const registry = memoryRegistry({ progressMs: 40, logTail: { windowBytes: 20_000, backstopMs: 30_000 } })
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const kinds: Criteria = { field: { root: 'kind' }, test: { operator: 'in', values: ['k1', 'k2'] } }
    const filters: readonly Criteria[] = [
      ns('a'),
      ns('b'),
      { any: [ns('a'), ns('c')] },
      kinds,
      red,
      { not: red },
      { all: [kinds, red] },
      { all: [ns('b'), { not: kinds }] },
      { field: { root: 'id' }, test: { operator: 'in', values: ['a:1', 'b:2', 'c:3'] } },
      { any: [red, ns('a')] },
      { field: { root: 'name' }, test: { operator: 'prefix', text: '1' } },
    ]
    const states = filters.map(() => ({ state: new Map<string, string>(), revision: 0, slow: Math.random() < 0.4 }))
    const reading = filters.map(async (criteria, i) => {
      const at = states[i]!
      for await (const batch of registry.follow({ after: null, criteria, initial: true, signal: end.signal })) {
        fold(at.state, batch)
        at.revision = batch.revision
        if (at.slow) await sleep(Math.random() * 6)
      }
    })
    const there = new Set<string>()
    for (let n = 0; n < 250; n++) {
      const id = parseEntryId(`${'abc'[n % 3]}:${Math.floor(Math.random() * 5)}`)
      const content = [{ color: Math.random() < 0.5 ? 'red' : 'blue' }, n, `k${Math.floor(Math.random() * 4)}`] as const
      if (!there.has(id)) await apply(registry, create(id, ...content))
      else if (Math.random() < 0.3) await apply(registry, remove(id))
      else
        await apply(registry, remove(id), create(id, ...content)).catch(() => apply(registry, update(id, ...content)))
      if ((await registry.history.entries([id], 'head')).has(id)) there.add(id)
      else there.delete(id)
    }
    const { revision: head } = await registry.history.head()
    await expect.poll(() => states.every(({ revision }) => revision >= head)).toBe(true)
    for (const [i, criteria] of filters.entries())
      expect(states[i]!.state).toEqual(await stateAt(registry, criteria, head))
    end.abort()
    await Promise.all(reading)
  })
})
