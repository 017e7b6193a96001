import { afterEach, describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { History } from '../../../src/store/contract/history.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { directoryOf, type Witness, witness } from '../participants/participant-fixture.js'
import { apply, create, HISTORY_OPTIONS, registryOver, remove } from '../registry-fixture.js'

const STORES: Record<string, () => Promise<{ history: History; close(): Promise<void> }>> = {
  none: async () => {
    const history = openMemoryHistory(HISTORY_OPTIONS, { hasHistory: false })
    return { history, close: () => history.close() }
  },
  memory: async () => {
    const history = openMemoryHistory(HISTORY_OPTIONS)
    return { history, close: () => history.close() }
  },
  Postgres: async () => {
    const database = await createTestDatabase()
    const history = await openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres' })
    return {
      history,
      close: async () => {
        await history.close()
        await database.drop()
      },
    }
  },
}

describe.each(Object.keys(STORES))('instances and transactions over %s', (store) => {
  let close: () => Promise<void> = async () => undefined
  afterEach(() => close())

  async function open(asked: (registry: Registry) => Promise<unknown>): Promise<{ registry: Registry; all: Witness }> {
    const opened = await STORES[store]!()
    const all: Witness = witness('all', async () => {
      await asked(registry)
      return { accept: true }
    })
    const registry = registryOver(opened.history, { transactions: { participants: directoryOf(all) } })
    close = async () => {
      await registry.close()
      await opened.close()
    }
    await apply(registryOver(opened.history), create('a:x'))
    return { registry, all }
  }
  const acquire = (registry: Registry) =>
    registry.instances.acquire({ entry: parseEntryId('a:x'), name: 'one', ttlSeconds: 60 })

  it('refuses a delete that participants accepted if an instance of the entry was acquired meanwhile', async () => {
    const { registry, all } = await open(acquire)
    const outcome = await registry.applyChangeset({ operations: [remove('a:x')] }, { author: null })
    expect(outcome).toMatchObject({
      type: 'refused',
      problems: [{ code: 'ENTRY_IN_USE', entryId: 'a:x', operation: 0 }],
    })
    expect(all.story()).toEqual(['(registry.begin)', 'entry.delete a:x', '(entry.create a:x)', '(registry.discard)'])
    expect((await registry.history.instances.live([parseEntryId('a:x')])).of.size).toBe(1)
  })

  // As a delete with a create, in either order: the instance lived on, of an entry of another kind.
  it.each(['delete first', 'create first'])(
    'refuses a replacement by another kind like a delete, %s',
    async (order) => {
      const replacement = (force: boolean) => {
        const operations = [{ ...remove('a:x'), force }, create('a:x', {}, 1, 'other.kind')]
        return { operations: order === 'delete first' ? operations : operations.reverse() }
      }
      const inUse = { type: 'refused', problems: [{ code: 'ENTRY_IN_USE', entryId: 'a:x' }] }
      const live = async () => (await registry.history.instances.live([parseEntryId('a:x')])).of.size
      // Acquired while participants are asked, then before they are.
      const { registry, all } = await open(async () => {
        if ((await live()) === 0) await acquire(registry)
      })
      for (let tries = 0; tries < 2; tries++) {
        expect(await registry.applyChangeset(replacement(false), { author: null })).toMatchObject(inUse)
        expect(await registry.applyChangeset({ ...replacement(false), dryRun: true }, { author: null })).toMatchObject(
          inUse,
        )
      }
      expect(all.story()).toContain('(registry.discard)')
      expect(await live()).toBe(1)
      expect(await registry.applyChangeset(replacement(true), { author: null })).toMatchObject({ type: 'applied' })
      expect(await live()).toBe(0)
    },
  )

  it('does not refuse a replacement by the same kind', async () => {
    const { registry } = await open(async () => undefined)
    await acquire(registry)
    const operations = [remove('a:x'), create('a:x', {}, 1)]
    expect(await registry.applyChangeset({ operations }, { author: null })).toMatchObject({ type: 'applied' })
    expect((await registry.history.instances.live([parseEntryId('a:x')])).of.size).toBe(1)
  })

  it('asks no participant about a delete of an entry that is in use', async () => {
    const { registry, all } = await open(async () => undefined)
    await acquire(registry)
    expect(await registry.applyChangeset({ operations: [remove('a:x')] }, { author: null })).toMatchObject({
      type: 'refused',
      problems: [{ code: 'ENTRY_IN_USE' }],
    })
    if (registry.history.hasHistory)
      expect(await registry.applyVersion({ version: 0 }, { author: null })).toMatchObject({
        type: 'refused',
        problems: [{ code: 'ENTRY_IN_USE' }],
      })
    expect(all.heard).toEqual([])
  })

  it('offers a forced delete like any other, and ends instances that came while participants were asked', async () => {
    const { registry, all } = await open(acquire)
    const outcome = await registry.applyChangeset({ operations: [{ ...remove('a:x'), force: true }] }, { author: null })
    expect(outcome).toMatchObject({ type: 'applied' })
    expect(all.story()).toEqual(['(registry.begin)', 'entry.delete a:x', '(registry.commit)'])
    expect((await registry.history.instances.live([parseEntryId('a:x')])).of.size).toBe(0)
  })
})
