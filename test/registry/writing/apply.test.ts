import { describe, expect, it } from 'vitest'
import type { RawOperation } from '../../../src/registry/writing/write-input.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import {
  apply,
  create,
  HISTORY_OPTIONS,
  historyWith,
  memoryRegistry,
  registryOver,
  remove,
  rollback,
  update,
} from '../registry-fixture.js'

const nobody = { author: null }

describe('applying a changeset', () => {
  it('names every static problem with its index, beside those of the state', async () => {
    const registry = memoryRegistry()
    await apply(registry, create('a:there'))
    const operations: RawOperation[] = [
      create('no-colon'),
      create('a:x', {}, 'lone \ud800'),
      create('a:y', {}, null, 'not a kind'),
      create('a:there'),
      update('a:gone'),
      remove('a:gone-too'),
    ]
    const outcome = await registry.applyChangeset({ operations }, nobody)
    if (outcome.type !== 'refused') throw new Error('applied')
    const found = outcome.problems.map(({ code, operation }) => `${operation} ${code}`).sort()
    expect(found).toEqual([
      '0 INVALID_ENTRY',
      '1 INVALID_ENTRY',
      '2 INVALID_ENTRY',
      '3 ENTRY_EXISTS',
      '4 ENTRY_NOT_FOUND',
      '5 ENTRY_NOT_FOUND',
    ])
  })

  it('refuses too many operations by one problem without an index', async () => {
    const registry = memoryRegistry()
    const operations = Array.from({ length: 100_001 }, () => create('no-colon'))
    const outcome = await registry.applyChangeset({ operations }, nobody)
    expect(outcome).toEqual({
      type: 'refused',
      problems: [{ code: 'TOO_LARGE', message: expect.stringContaining('100000') as string }],
    })
  })

  it('applies a changeset of exactly the maximum size, and refuses one more byte', async () => {
    // `{}` and `"xxx"`, twice.
    const limits = { entryBytes: 1_000, changesetOperations: 10, changesetBytes: 14 }
    const operations = [create('a:1', {}, 'xxx'), create('a:2', {}, 'xxx')]
    expect(await memoryRegistry({ limits }).applyChangeset({ operations }, nobody)).toMatchObject({ type: 'applied' })
    const smaller = memoryRegistry({ limits: { ...limits, changesetBytes: 13 } })
    expect(await smaller.applyChangeset({ operations }, nobody)).toMatchObject({
      type: 'refused',
      problems: [{ code: 'TOO_LARGE' }],
    })
  })

  it('refuses a changeset that is too large, and names an entry that is too large by its index', async () => {
    const registry = memoryRegistry({ limits: { entryBytes: 1_000, changesetOperations: 10, changesetBytes: 2_000 } })
    const data = 'é'.repeat(400)
    const whole = await registry.applyChangeset(
      { operations: [1, 2, 3].map((i) => create(`a:${i}`, {}, data)) },
      nobody,
    )
    expect(whole).toEqual({
      type: 'refused',
      problems: [{ code: 'TOO_LARGE', message: expect.stringContaining('2000') as string }],
    })
    const one = await registry.applyChangeset(
      { operations: [create('a:1'), create('a:2', {}, 'é'.repeat(500))] },
      nobody,
    )
    expect(one).toMatchObject({ type: 'refused', problems: [{ code: 'TOO_LARGE', operation: 1, entryId: 'a:2' }] })
  })

  it('refuses content nested 100,000 deep as an invalid entry', async () => {
    const data: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
    const outcome = await memoryRegistry().applyChangeset(
      { operations: [create('a:1', {}, data)], idempotencyKey: 'deep' },
      nobody,
    )
    expect(outcome).toMatchObject({ type: 'refused', problems: [{ code: 'INVALID_ENTRY', operation: 0 }] })
  })

  it('yields to other work while it checks a long changeset', async () => {
    const registry = memoryRegistry()
    const operations = Array.from({ length: 30_000 }, (_, i) =>
      create(`a:${i}`, { n: i, text: 'some words '.repeat(20) }),
    )
    let slices = 0
    let committing = false
    const store = openMemoryHistory(HISTORY_OPTIONS)
    const watched = registryOver(
      historyWith(store, {
        commit: async (requests) => {
          committing = true
          return store.commit(requests)
        },
      }),
    )
    const ticker = setInterval(() => {
      if (!committing) slices += 1
    }, 1)
    await watched.applyChangeset({ operations, dryRun: true, idempotencyKey: 'long' }, nobody)
    clearInterval(ticker)
    expect(slices).toBeGreaterThan(5)
    await registry.close()
  })

  it('replays the first answer for the same key and content, and refuses other content', async () => {
    const registry = memoryRegistry()
    const input = { operations: [create('a:1', { x: 1, y: 2 })], idempotencyKey: 'k1', message: 'first' }
    const first = await registry.applyChangeset(input, { author: 'ann' })
    const again = await registry.applyChangeset(
      { ...input, operations: [create('a:1', { y: 2, x: 1 })], base: null },
      { author: 'ann' },
    )
    expect(first).toMatchObject({ type: 'applied', revision: 1, replayed: false })
    expect(again).toMatchObject({ type: 'applied', revision: 1, replayed: true })
    for (const other of [
      { message: 'other' },
      { operations: [create('a:1', { x: 1, y: 3 })] },
      { expectedHead: 0 },
      { dryRun: true },
    ]) {
      const outcome = await registry.applyChangeset({ ...input, ...other }, { author: 'ann' })
      expect(outcome).toMatchObject({ type: 'refused', problems: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] })
    }
    expect(await registry.applyVersion({ version: 0, idempotencyKey: 'k1' }, { author: 'ann' })).toMatchObject({
      type: 'refused',
      problems: [{ code: 'IDEMPOTENCY_KEY_REUSED' }],
    })
    expect(await registry.applyVersion({ version: 0, idempotencyKey: 'k1' }, { author: 'bob' })).toMatchObject({
      type: 'applied',
      revision: 2,
    })
    expect(
      await registry.applyVersion({ version: 0, idempotencyKey: 'k1', force: true }, { author: 'bob' }),
    ).toMatchObject({ type: 'refused', problems: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] })
  })

  it('refuses a message, key or author that cannot be stored', async () => {
    const registry = memoryRegistry()
    const operations = [create('a:1')]
    for (const input of [
      { message: 'nul \u0000' },
      { message: 'x'.repeat(70_000) },
      { idempotencyKey: '' },
      { idempotencyKey: '\ud800' },
    ]) {
      await expect(registry.applyChangeset({ operations, ...input }, nobody)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
      })
    }
    await expect(registry.applyVersion({ version: 0 }, { author: 'a'.repeat(300) })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    })
  })
})

describe('reading at a revision', () => {
  it('resolves a version, a revision and a time to a revision, and fails for those that do not exist', async () => {
    const registry = memoryRegistry()
    await apply(registry, create('a:1'))
    await apply(registry, create('a:2'))
    await rollback(registry, 1)
    expect(await registry.revisionAt({ version: 1 })).toBe(1)
    expect(await registry.revisionAt({ version: 0 })).toBe(0)
    expect(await registry.revisionAt({ revision: 3 })).toBe(3)
    expect(await registry.revisionAt({ time: new Date(0) })).toBe(0)
    expect(await registry.revisionAt({ time: new Date(Date.now() + 60_000) })).toBe(3)
    for (const version of [3, -1])
      await expect(registry.revisionAt({ version })).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' })
    for (const revision of [4, -1])
      await expect(registry.revisionAt({ revision })).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' })
    await expect(registry.revisionAt({ time: new Date(NaN) })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(registry.path(0, 9)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' })
  })

  it('fails with HISTORY_NOT_KEPT or COMPACTED if a revision can no longer be read', async () => {
    const forgetful = registryOver(openMemoryHistory(HISTORY_OPTIONS, { hasHistory: false }))
    await apply(forgetful, create('a:1'))
    await apply(forgetful, create('a:2'))
    expect(await forgetful.revisionAt({ revision: 2 })).toBe(2)
    await expect(forgetful.revisionAt({ revision: 1 })).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    // Both were VERSION_NOT_FOUND, although `versions` lists the version.
    for (const attempt of [
      forgetful.applyVersion({ version: 1 }, nobody),
      forgetful.applyVersion({ version: 0 }, nobody),
      forgetful.revertVersion({ version: 1 }, nobody),
      forgetful.revertVersion({ version: 2 }, nobody),
    ])
      await expect(attempt).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    expect(await forgetful.applyVersion({ version: 2 }, nobody)).toMatchObject({ type: 'applied' })
    expect(await forgetful.applyVersion({ version: 3 }, nobody)).toMatchObject({
      problems: [{ code: 'VERSION_NOT_FOUND' }],
    })
    const compacted = registryOver(historyWith(openMemoryHistory(HISTORY_OPTIONS), { oldestRevision: async () => 1 }))
    await apply(compacted, create('a:1'))
    await expect(compacted.revisionAt({ version: 0 })).rejects.toMatchObject({
      code: 'COMPACTED',
      details: { oldestRevision: 1 },
    })
  })

  it('finds the path through the version tree', async () => {
    const registry = memoryRegistry()
    for (let i = 1; i <= 3; i++) await apply(registry, create(`a:${i}`))
    await rollback(registry, 1)
    await apply(registry, create('a:4'))
    expect(await registry.path(0, 3)).toEqual([1, 2, 3].map((version) => ({ direction: 'FORWARD', version })))
    expect(await registry.path(3, 4)).toEqual([
      { direction: 'BACKWARD', version: 3 },
      { direction: 'BACKWARD', version: 2 },
      { direction: 'FORWARD', version: 4 },
    ])
    expect(await registry.path(2, 2)).toEqual([])
  })

  it('answers a find from the cache while the head is unchanged, and sees a write at once', async () => {
    const store = openMemoryHistory(HISTORY_OPTIONS)
    let finds = 0
    const registry = registryOver(
      historyWith(store, {
        findEntries: (...args) => {
          finds += 1
          return store.findEntries(...args)
        },
      }),
    )
    await apply(registry, create('a:1', { n: 1 }))
    const page = { limit: 10, after: null, before: null, fromEnd: false }
    const find = () =>
      registry.findEntries(
        { field: { meta: 'n' }, test: { operator: 'exists', present: true } },
        'ID_ASC',
        page,
        'head',
      )
    const first = await find()
    expect(await find()).toBe(first)
    expect(finds).toBe(1)
    await apply(registry, create('a:2', { n: 2 }))
    expect(await find()).toMatchObject({ revision: 2, items: [{ id: 'a:1' }, { id: 'a:2' }] })
    expect(finds).toBe(2)
  })
})
