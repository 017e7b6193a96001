import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../src/core/criteria/criteria.js'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import type { ChangeBatch } from '../../../src/registry/following/follow-input.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { History } from '../../../src/store/contract/history.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import {
  apply,
  countReads,
  create,
  fold,
  HISTORY_OPTIONS,
  historyWith,
  isSilent,
  nextOf,
  registryOver,
  stateAt,
  takeUntilSynced,
} from '../registry-fixture.js'

const memory = () => openMemoryHistory(HISTORY_OPTIONS)

function followAll(
  registry: Registry,
  signal: AbortSignal,
  after: string | null = null,
): AsyncIterableIterator<ChangeBatch> {
  return registry.follow({ after, criteria: null, initial: false, signal })
}

describe('LogTail', () => {
  it('makes no query while nothing happens, however many followers there are, and few when something does', async () => {
    const counted = countReads(memory())
    const registry = registryOver(counted.history)
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const red = { field: { meta: 'color' }, test: { operator: 'equals', value: 'red' } } as const
    const streams = Array.from({ length: 200 }, (_, i) =>
      registry.follow({ after: null, criteria: i % 2 === 0 ? null : red, initial: false, signal: end.signal }),
    )
    for (const stream of streams) await nextOf(stream)
    const waiting = streams.map((stream) => nextOf(stream))
    await sleep(50)
    const idle = counted.reads
    await sleep(300)
    expect(counted.reads).toBe(idle)
    await apply(registry, create('a:1', { color: 'red' }))
    for (const batch of await Promise.all(waiting)) expect(batch.changes).toHaveLength(1)
    expect(counted.reads - idle).toBeLessThan(5)
    end.abort()
  })

  it('stops reading once there are no followers', async () => {
    const counted = countReads(memory())
    const registry = registryOver(counted.history, { logTail: { windowBytes: 1_000, backstopMs: 20 } })
    const stream = followAll(registry, new AbortController().signal)
    await nextOf(stream)
    const waiting = stream.next()
    await sleep(100)
    expect(counted.reads).toBeGreaterThan(2)
    await stream.return?.()
    expect((await waiting).done).toBe(true)
    await sleep(30)
    const ended = counted.reads
    await apply(registry, create('a:1'))
    await sleep(100)
    expect(counted.reads).toBe(ended)
  })

  it('finds a change whose notification was lost', async () => {
    const history = historyWith(memory(), { onAdvance: () => () => undefined })
    const registry = registryOver(history, { logTail: { windowBytes: 1_000_000, backstopMs: 100 } })
    const end = new AbortController()
    const stream = followAll(registry, end.signal)
    await nextOf(stream)
    const waiting = nextOf(stream)
    await sleep(30)
    await apply(registry, create('a:1'))
    expect((await waiting).revision).toBe(1)
    end.abort()
  })

  it('lets a slow follower read from the store: no gap, no delay for others, bounded memory', async () => {
    const registry = registryOver(memory(), { logTail: { windowBytes: 20_000, backstopMs: 30_000 } })
    const end = new AbortController()
    const slow = followAll(registry, end.signal)
    const quick = followAll(registry, end.signal)
    await nextOf(slow)
    await nextOf(quick)
    for (let i = 1; i <= 300; i++) {
      await apply(registry, create(`a:${i}`, { text: 'x'.repeat(1_000) }))
      expect((await nextOf(quick)).revision).toBe(i)
    }
    for (let i = 1; i <= 300; i++) expect((await nextOf(slow)).revision).toBe(i)
    await apply(registry, create('a:live'))
    expect((await nextOf(slow)).revision).toBe(301)
    expect((await nextOf(quick)).revision).toBe(301)
    end.abort()
  })

  it('continues without a gap after the store was unavailable', async () => {
    const store = memory()
    let away = false
    const failing =
      <Args extends unknown[], Result>(read: (...args: Args) => Promise<Result>) =>
      (...args: Args) =>
        away ? Promise.reject(new RegistryError('UNAVAILABLE', 'the store is away')) : read(...args)
    const registry = registryOver(
      historyWith(store, { log: failing(store.log), findEntries: failing(store.findEntries) }),
    )
    const end = new AbortController()
    const first = await apply(registry, create('a:0'))
    const live = followAll(registry, end.signal)
    const { cursor } = await nextOf(live)
    away = true
    await apply(registry, create('a:1'))
    const catching = followAll(registry, end.signal, cursor)
    const [a, b] = [nextOf(live), nextOf(catching)]
    await sleep(300)
    away = false
    expect((await a).revision).toBe(first + 1)
    expect((await b).revision).toBe(first + 1)
    end.abort()
  })

  it('reports a permanent error to each follower', async () => {
    const store = memory()
    let broken = false
    const log: History['log'] = async (...args) => {
      if (broken) throw new RegistryError('COMPACTED', 'the log is gone', { oldestRevision: 9 })
      return store.log(...args)
    }
    const registry = registryOver(historyWith(store, { log }))
    const end = new AbortController()
    const stream = followAll(registry, end.signal)
    await nextOf(stream)
    const waiting = nextOf(stream)
    await sleep(20)
    broken = true
    await apply(registry, create('a:1'))
    await expect(waiting).rejects.toMatchObject({ code: 'COMPACTED', details: { oldestRevision: 9 } })
    end.abort()
  })

  it('fails with COMPACTED and the oldest revision if the history before it is gone', async () => {
    const store = memory()
    const registry = registryOver(historyWith(store, { oldestRevision: async () => 2 }))
    const end = new AbortController()
    const cursors: string[] = []
    for (let i = 0; i < 3; i++) {
      cursors.push((await nextOf(followAll(registry, end.signal))).cursor)
      await apply(registry, create(`a:${i}`))
    }
    await expect(nextOf(followAll(registry, end.signal, cursors[1]!))).rejects.toMatchObject({
      code: 'COMPACTED',
      details: { oldestRevision: 2 },
    })
    expect(
      (await takeUntilSynced(followAll(registry, end.signal, cursors[2]!))).map(({ revision }) => revision),
    ).toEqual([3])
    end.abort()
  })

  it('resumes from a cursor in a registry without history too', async () => {
    const registry = registryOver(openMemoryHistory(HISTORY_OPTIONS, { hasHistory: false }))
    const end = new AbortController()
    await apply(registry, create('a:1'), create('a:2'))
    const stream = registry.follow({ after: null, criteria: null, initial: true, signal: end.signal })
    const state = new Map<string, string>()
    let last: ChangeBatch | undefined
    for (last of await takeUntilSynced(stream)) fold(state, last)
    await apply(registry, create('a:3'))
    await apply(registry, create('a:4'))
    const resumed = registry.follow({ after: last!.cursor, criteria: null, initial: false, signal: end.signal })
    for (const batch of await takeUntilSynced(resumed)) fold(state, batch)
    expect(state).toEqual(await stateAt(registry, EVERYTHING, 3))
    expect(await isSilent(resumed, 50)).toBe(true)
    end.abort()
  })
})
