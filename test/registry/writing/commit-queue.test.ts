import { describe, expect, it } from 'vitest'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import { COMMIT_QUEUE_LIMITS, CommitQueue } from '../../../src/registry/writing/commit-queue.js'
import type { CommitOutcome, CommitRequest, HistoryWriter } from '../../../src/store/contract/history-writer.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import {
  apply,
  create,
  HISTORY_OPTIONS,
  historyWith,
  memoryRegistry,
  registryOver,
  revisionOf,
} from '../registry-fixture.js'

const request = (name: string): CommitRequest => ({
  id: name,
  author: null,
  message: name,
  idempotency: null,
  expectedHead: null,
  dryRun: false,
  action: { type: 'version', version: 0 },
})
const outcome: CommitOutcome = { type: 'refused', problems: [] }

/** Records its batches. Each stays in flight until it is released. */
function heldWriter(fail: (names: readonly string[]) => void = () => undefined) {
  const batches: string[][] = []
  const held: (() => void)[] = []
  const writer: HistoryWriter = {
    commit: async (requests) => {
      const names = requests.map(({ message }) => message!)
      batches.push(names)
      await new Promise<void>((resolve) => held.push(resolve))
      fail(names)
      return requests.map(() => outcome)
    },
  }
  const release = async () => {
    while (held.length === 0) await new Promise(setImmediate)
    held.shift()!()
  }
  return { writer, batches, release }
}

describe('CommitQueue', () => {
  it('commits a lone changeset at once, and those that arrive meanwhile as one batch, in order', async () => {
    const { writer, batches, release } = heldWriter()
    const queue = new CommitQueue(writer)
    const first = queue.commit(request('a'), 0)
    await new Promise(setImmediate)
    expect(batches).toEqual([['a']])
    const rest = ['b', 'c', 'd'].map((name) => queue.commit(request(name), 0))
    await new Promise(setImmediate)
    expect(batches).toHaveLength(1)
    await release()
    await first
    await release()
    await Promise.all(rest)
    expect(batches).toEqual([['a'], ['b', 'c', 'd']])
  })

  it('bounds a batch by requests and by bytes', async () => {
    const { writer, batches, release } = heldWriter()
    const queue = new CommitQueue(writer, { ...COMMIT_QUEUE_LIMITS, requests: 3, bytes: 10 })
    const all = [
      ['a', 1],
      ['b', 9],
      ['c', 9],
      ['d', 50],
      ['e', 0],
      ['f', 0],
      ['g', 0],
    ].map(([name, bytes]) => queue.commit(request(name as string), bytes as number))
    for (let i = 0; i < 4; i++) await release()
    await Promise.all(all)
    expect(batches).toEqual([['a', 'b'], ['c'], ['d'], ['e', 'f', 'g']])
  })

  it('fails only the changeset that cannot be written', async () => {
    const { writer, release } = heldWriter((names) => {
      if (names.includes('bad')) throw new Error('cannot be written')
    })
    const queue = new CommitQueue(writer)
    const all = Promise.allSettled(['a', 'b', 'bad', 'c', 'd'].map((name) => queue.commit(request(name), 0)))
    let settled = false
    void all.then(() => {
      settled = true
    })
    while (!settled) await Promise.race([release(), all])
    expect((await all).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
  })

  it('fails the whole batch if the store is unavailable or the outcome unknown, and retries nothing', async () => {
    for (const code of ['UNAVAILABLE', 'OUTCOME_UNKNOWN'] as const) {
      const { writer, batches, release } = heldWriter(() => {
        throw new RegistryError(code, 'away')
      })
      const queue = new CommitQueue(writer)
      const all = Promise.allSettled(['a', 'b', 'c'].map((name) => queue.commit(request(name), 0)))
      await release()
      for (const result of await all) expect(result).toMatchObject({ status: 'rejected', reason: { code } })
      expect(batches).toHaveLength(1)
    }
  })

  it('refuses at once when it is full, and never commits a changeset that it refused after waiting too long', async () => {
    const { writer, batches, release } = heldWriter()
    const queue = new CommitQueue(writer, { ...COMMIT_QUEUE_LIMITS, waitingRequests: 2, waitMs: 20 })
    const first = queue.commit(request('a'), 0)
    await new Promise(setImmediate)
    const waiting = [queue.commit(request('b'), 0), queue.commit(request('c'), 0)]
    await expect(queue.commit(request('d'), 0)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await new Promise((resolve) => setTimeout(resolve, 40))
    await release()
    await first
    for (const result of await Promise.allSettled(waiting)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } })
    }
    const next = queue.commit(request('e'), 0)
    await release()
    await next
    expect(batches).toEqual([['a'], ['e']])
  })

  it('settles waiting changesets when it closes, and refuses further ones', async () => {
    const { writer, release } = heldWriter()
    const queue = new CommitQueue(writer)
    const last = queue.commit(request('a'), 0)
    const closed = queue.close()
    await release()
    await closed
    expect(await last).toBe(outcome)
    await expect(queue.commit(request('b'), 0)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('gives 200 concurrent writers consecutive revisions and each its own answer', async () => {
    const store = openMemoryHistory(HISTORY_OPTIONS)
    let batches = 0
    const registry = registryOver(
      historyWith(store, {
        commit: async (requests) => {
          batches += 1
          await new Promise(setImmediate)
          return store.commit(requests)
        },
      }),
    )
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        registry.applyChangeset({ operations: [create(i % 10 === 0 ? 'same:one' : `c:${i}`)] }, { author: null }),
      ),
    )
    const refused = outcomes.filter(({ type }) => type === 'refused')
    expect(refused).toHaveLength(19)
    const revisions = outcomes.filter(({ type }) => type === 'applied').map(revisionOf)
    expect(revisions.sort((a, b) => a - b)).toEqual(Array.from({ length: 181 }, (_, i) => i + 1))
    expect(batches).toBeLessThan(20)
  })

  it('does not delay a dry run behind writes', async () => {
    const store = openMemoryHistory(HISTORY_OPTIONS)
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const registry = registryOver(
      historyWith(store, {
        commit: async (requests) => {
          if (!requests.every(({ dryRun }) => dryRun)) await held
          return store.commit(requests)
        },
      }),
    )
    const writing = apply(registry, create('a:1'))
    const dry = await registry.applyChangeset({ operations: [create('a:1')], dryRun: true }, { author: null })
    expect(dry).toMatchObject({ type: 'applied', dryRun: true, revision: null, head: { revision: 0 } })
    release()
    expect(await writing).toBe(1)
    await memoryRegistry().close()
  })
})
