import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import type { Registry } from '../../../src/registry/registry.js'
import { create, remove } from '../../registry/registry-fixture.js'
import {
  composingRegistry,
  messagesOf,
  NAMES,
  type OpenedStore,
  ORDERS,
  problemsOf,
  publish,
  republish,
  STORES,
  sdl,
  submit,
  USERS,
} from './composing-registry.js'

const SUPERGRAPH = 'shop:supergraph' as EntryId

async function supergraphOf(registry: Registry): Promise<{ sdl: string; subgraphs: { name: string }[] } | null> {
  const entry = (await registry.entriesAtHead([SUPERGRAPH])).get(SUPERGRAPH)
  return entry === undefined ? null : (entry.content.data as never)
}

describe.each(Object.keys(STORES))('a composed namespace over %s', (store) => {
  let opened: OpenedStore
  let registry: Registry
  beforeEach(async () => {
    opened = await STORES[store]!()
    registry = composingRegistry(opened.history)
  })
  afterEach(async () => {
    await registry.close()
    await opened.close()
  })

  it('writes the supergraph in the version of the subgraph', async () => {
    const outcome = await submit(registry, publish('shop:users', USERS))
    expect(outcome).toMatchObject({ type: 'applied', head: { version: 1 } })
    expect(outcome.type === 'applied' && outcome.delta.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
      'CREATE shop:users',
      'CREATE shop:supergraph',
    ])
    const { sdl: composed, subgraphs } = (await supergraphOf(registry))!
    expect(composed).toContain('type User')
    expect(subgraphs).toEqual([
      { name: 'users', url: 'http://x/graphql', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ])
  })

  it('refuses a subgraph that does not compose with the others, at its operation and line', async () => {
    await submit(registry, publish('shop:users', USERS))
    const outcome = await submit(registry, create('shop:other'), publish('shop:names', NAMES))
    expect(problemsOf(outcome)).toEqual([
      {
        code: 'REJECTED',
        participant: 'graphql.compose',
        entryId: 'shop:names',
        operation: 1,
        message:
          'shop:names does not compose: line 4 of data.sdl: Non-shareable field "User.name" is resolved from multiple subgraphs: ' +
          'it is resolved from subgraphs "names" and "users" and defined as non-shareable in all of them. (INVALID_FIELD_SHARING)',
      },
    ])
    expect((await registry.head()).version).toBe(1)
  })

  it('refuses a breaking change', async () => {
    await submit(registry, publish('shop:users', USERS))
    const outcome = await submit(registry, republish('shop:users', USERS.replace('  name: String\n', '')))
    expect(messagesOf(outcome)).toEqual([
      "shop:users breaks clients of the supergraph: FIELD_REMOVED: Field 'name' was removed from object type 'User'. " +
        'Deprecate first what you remove, or set federation.compose.onBreaking to warn.',
    ])
  })

  it('deletes the supergraph with the last subgraph', async () => {
    await submit(registry, publish('shop:users', USERS))
    const outcome = await submit(registry, remove('shop:users'))
    expect(outcome).toMatchObject({ type: 'applied', warnings: [{ code: 'BREAKING_CHANGE' }] })
    expect(await supergraphOf(registry)).toBeNull()
  })

  it('rolls the supergraph back with its subgraphs', async () => {
    await submit(registry, publish('shop:users', USERS))
    const before = await supergraphOf(registry)
    await submit(registry, publish('shop:orders', ORDERS))
    expect((await supergraphOf(registry))!.subgraphs.map(({ name }) => name)).toEqual(['orders', 'users'])
    const moved = await registry.applyVersion({ version: 1 }, { author: null })
    expect(moved).toMatchObject({ type: 'applied', warnings: expect.arrayContaining([]) })
    expect(await supergraphOf(registry)).toEqual(before)
  })

  it('composes again when a version in between is reverted', async () => {
    await submit(registry, publish('shop:users', USERS))
    await submit(registry, publish('shop:orders', ORDERS))
    await submit(registry, publish('shop:news', sdl('type Query { news: String }')))
    const reverted = await registry.revertVersion({ version: 2 }, { author: null })
    expect(reverted).toMatchObject({ type: 'applied', head: { version: 4 } })
    expect((await supergraphOf(registry))!.subgraphs.map(({ name }) => name)).toEqual(['news', 'users'])
  })
})
