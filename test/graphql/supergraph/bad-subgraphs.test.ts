import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Registry } from '../../../src/registry/registry.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { create, HISTORY_OPTIONS, registryOver, remove, update } from '../../registry/registry-fixture.js'
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

const MIB = 1024 * 1024

describe('a subgraph that cannot be composed', () => {
  let opened: OpenedStore
  let registry: Registry
  beforeEach(async () => {
    opened = await STORES['memory']!()
    registry = composingRegistry(opened.history)
  })
  afterEach(async () => {
    await registry.close()
    await opened.close()
  })

  const messages = async (...operations: Parameters<typeof submit>[1][]) =>
    messagesOf(await submit(registry, ...operations))

  it.each<[string, unknown, string]>([
    ['no data', null, 'data must be an object with `sdl` and `url`.'],
    ['a list', [], 'data must be an object with `sdl` and `url`.'],
    ['no sdl', { url: 'http://x' }, 'data.sdl is missing. Send the text of the schema.'],
    ['a number', { sdl: 1, url: 'http://x' }, 'data.sdl is a number, not text. Send the text of the schema.'],
    ['a list of lines', { sdl: ['a'], url: 'http://x' }, 'data.sdl is a list, not text. Send the text of the schema.'],
    ['blanks', { sdl: ' \n', url: 'http://x' }, 'data.sdl is empty. Send the text of the schema.'],
    [
      'an unresolved file',
      { sdl: 'file://users.graphql', url: 'http://x' },
      'data.sdl names a file, which only sources and `cadastre apply` read. Send the text of the schema.',
    ],
    ['no url', { sdl: USERS }, 'data.url is missing. Send the address of the subgraph.'],
    [
      'another scheme',
      { sdl: USERS, url: 'javascript:alert(1)' },
      'data.url is not an address. It must begin with http:// or https://.',
    ],
    [
      'headers that are no texts',
      { sdl: USERS, url: 'http://x', headers: { a: 1 } },
      'data.headers must be an object of texts.',
    ],
    [
      'a syntax error',
      { sdl: 'type Query {\n  a: \n}', url: 'http://x' },
      'line 3 of data.sdl: Syntax Error: Expected Name, found "}".',
    ],
    ['only comments', { sdl: '# nothing', url: 'http://x' }, 'line 1 of data.sdl: Syntax Error: Unexpected <EOF>.'],
    [
      'a query',
      { sdl: '{ me }', url: 'http://x' },
      'data.sdl has an operation or a fragment. Send definitions of types only.',
    ],
  ])('with %s is refused with the reason', async (_name, data, message) => {
    const operation = { kind: 'CREATE', id: 'shop:a', entryKind: 'graphql.subgraph', meta: {}, data } as const
    expect(problemsOf(await submit(registry, operation))).toEqual([
      {
        code: 'REJECTED',
        participant: 'graphql.compose',
        entryId: 'shop:a',
        operation: 0,
        message: `shop:a does not compose: ${message}`,
      },
    ])
  })

  it.each<[string, string, string]>([
    [
      'an unknown type',
      sdl('type Query {', '  me: Usr', '}'),
      'line 3 of data.sdl: Unknown type Usr. (INVALID_GRAPHQL)',
    ],
    [
      'two types of one name',
      sdl('type Query { a: A }', 'type A { id: ID }', 'type A { other: ID }'),
      'line 4 of data.sdl: There can be only one type named "A". (INVALID_GRAPHQL)',
    ],
    [
      'an unknown directive',
      sdl('type Query {', '  me: Int @foo', '}'),
      'line 3 of data.sdl: Unknown directive "@foo". (INVALID_GRAPHQL)',
    ],
    [
      'no query',
      sdl('type A { id: ID }'),
      'No queries found in any subgraph: a supergraph must have a query root type. (NO_QUERIES)',
    ],
  ])('with %s is refused at its line', async (_name, text, message) => {
    expect(await messages(publish('shop:a', text))).toEqual([expect.stringContaining(message)])
  })

  it('is refused by name if its schema is larger than 4 MiB', async () => {
    const limits = { entryBytes: 16 * MIB, changesetOperations: 10, changesetBytes: 64 * MIB }
    const generous = composingRegistry(opened.history, {}, { limits })
    const text = `${USERS}\n#${'x'.repeat(10 * MIB)}`
    expect(messagesOf(await submit(generous, publish('shop:a', text)))).toEqual([
      `shop:a does not compose: data.sdl has ${text.length} bytes, and it may have ${4 * MIB}. Split the subgraph.`,
    ])
    await generous.close()
  })

  it.each<[string, string]>([
    ['lists of lists', `type Query { a: ${'['.repeat(100_000)}Int${']'.repeat(100_000)} }`],
    ['default values', `type Query { a(b: X = ${'{a:'.repeat(60_000)}1${'}'.repeat(60_000)}): Int } input X { a: X }`],
    ['selections in a key', sdl(`type Query @key(fields: "${'a {'.repeat(20_000)}") { a: Int }`)],
  ])('with deeply nested %s is refused, and the next one is composed', async (_name, text) => {
    expect(await messages(publish('shop:a', text))).toEqual([expect.stringContaining('nest')])
    expect(await submit(registry, publish('shop:a', USERS))).toMatchObject({ type: 'applied' })
  })

  it('reports every subgraph with a fault at its own operation', async () => {
    await submit(registry, publish('shop:users', USERS))
    const outcome = await submit(registry, publish('shop:a', 1), create('shop:b'), publish('shop:c', 'type {'))
    expect(problemsOf(outcome).map(({ entryId, operation }) => [entryId, operation])).toEqual([
      ['shop:a', 0],
      ['shop:c', 2],
    ])
  })

  it('is reported at the subgraph that is missing something when another one is deleted', async () => {
    await submit(registry, publish('shop:users', USERS), publish('shop:orders', ORDERS))
    const reader = sdl('type Query { first: User }', 'type User @key(fields: "id") { id: ID! name: String @external }')
    const outcome = await submit(registry, publish('shop:reader', reader))
    expect(problemsOf(outcome).every(({ entryId }) => entryId === 'shop:reader')).toBe(true)
  })

  it.each(['日本', '1st', '__a', 'a b', 'a"b', 'a/b'])('with the name %s is refused', async (name) => {
    expect(await messages(publish(`shop:${name}`, USERS))).toEqual([
      `shop:${name} does not compose: its name must begin with a letter A to Z, and have only these, digits, and the characters _ . -`,
    ])
  })

  it('may have a name that differs in case or punctuation only, and the same name in another namespace', async () => {
    const both = composingRegistry(opened.history, { namespaces: ['shop', 'team'] })
    const names = ['a-b', 'a_b', 'A_B', 'a.b', 'aB', 'AB']
    const operations = ['shop', 'team'].flatMap((ns) =>
      names.map((name, i) => publish(`${ns}:${name}`, sdl(`type Query { f${i}: Int }`))),
    )
    const outcome = await submit(both, ...operations)
    expect(outcome).toMatchObject({ type: 'applied' })
    const entries = await both.entriesAtHead(['shop:supergraph', 'team:supergraph'] as never)
    for (const { content } of entries.values()) {
      const { subgraphs } = content.data as never as { subgraphs: { name: string }[] }
      expect(subgraphs.map(({ name }) => name).sort()).toEqual([...names].sort())
    }
    expect(entries.size).toBe(2)
    await both.close()
  })
})

describe('the entry of a supergraph', () => {
  let opened: OpenedStore
  let registry: Registry
  beforeEach(async () => {
    opened = await STORES['memory']!()
    registry = composingRegistry(opened.history)
  })
  afterEach(async () => {
    await registry.close()
    await opened.close()
  })

  it('cannot be written by clients, under its own or another kind', async () => {
    const ours =
      'shop:supergraph is the supergraph that the gateway composes from the subgraphs of shop. Publish a graphql.subgraph under another name.'
    expect(messagesOf(await submit(registry, create('shop:supergraph')))).toEqual([ours])
    expect(messagesOf(await submit(registry, publish('shop:supergraph', USERS)))).toEqual([ours])
    expect(messagesOf(await submit(registry, create('shop:x', {}, null, 'graphql.supergraph')))).toEqual([
      'shop:x has the kind graphql.supergraph, which only the gateway writes in shop. Choose another kind.',
    ])
    await submit(registry, publish('shop:users', USERS))
    expect(messagesOf(await submit(registry, remove('shop:supergraph')))).toEqual([ours])
    expect(messagesOf(await submit(registry, update('shop:supergraph', {}, null, 'graphql.supergraph')))).toEqual([
      ours,
    ])
    expect(messagesOf(await submit(registry, remove('shop:supergraph'), create('shop:supergraph')))).toEqual([
      ours,
      ours,
    ])
  })

  it('is not computed in other namespaces, where its kinds mean nothing', async () => {
    const outcome = await submit(
      registry,
      publish('other:users', 1),
      create('other:supergraph', {}, 1, 'graphql.supergraph'),
    )
    expect(outcome).toMatchObject({ type: 'applied', delta: [{}, {}] })
  })

  it('does not replace an entry that was there before the namespace was composed', async () => {
    await submit(registryOver(opened.history), create('shop:supergraph', {}, null, 'team.note'))
    expect(messagesOf(await submit(registry, publish('shop:users', USERS)))).toEqual([
      'The supergraph cannot be written, because shop:supergraph is a team.note. Delete that entry first, or create it under another name.',
    ])
    expect(await submit(registry, remove('shop:supergraph'))).toMatchObject({ type: 'applied' })
    expect(await submit(registry, publish('shop:users', USERS))).toMatchObject({ type: 'applied' })
  })

  it('follows a subgraph that becomes another kind and back', async () => {
    await submit(registry, publish('shop:users', USERS), publish('shop:news', sdl('type Query { news: Int }')))
    const warned = composingRegistry(opened.history, { onBreaking: 'warn' })
    const outcome = await submit(warned, remove('shop:news'), create('shop:news'))
    expect(outcome).toMatchObject({ type: 'applied', warnings: [{ code: 'BREAKING_CHANGE', entryId: 'shop:news' }] })
    const entries = await warned.entriesAtHead(['shop:supergraph'] as never)
    expect([...entries.values()][0]!.content.data).toMatchObject({ subgraphs: [{ name: 'users' }] })
    expect([...entries.values()][0]!.content.dataText).not.toContain('news')
    await warned.close()
  })

  it('is replayed with its subgraphs under an idempotency key', async () => {
    const request = { operations: [publish('shop:users', USERS)], idempotencyKey: 'k' }
    const first = await registry.applyChangeset(request, { author: 'a' })
    const again = await registry.applyChangeset(request, { author: 'a' })
    expect(again).toMatchObject({
      replayed: true,
      head: { version: 1 },
      delta: [{ id: 'shop:users' }, { id: 'shop:supergraph' }],
    })
    expect(first).toMatchObject({ replayed: false, head: { version: 1 } })
  })

  it('is not a conflict with the base of a changeset', async () => {
    await submit(registry, publish('shop:users', USERS))
    const outcome = await registry.applyChangeset(
      { operations: [publish('shop:orders', ORDERS)], base: 0 },
      { author: null },
    )
    expect(outcome).toMatchObject({ type: 'applied' })
  })
})

describe('breaking changes', () => {
  it('are warnings with onBreaking: warn, and when going back', async () => {
    const history = openMemoryHistory(HISTORY_OPTIONS)
    const registry = composingRegistry(history, { onBreaking: 'warn' })
    const strict = composingRegistry(history)
    await submit(registry, publish('shop:users', USERS))
    await submit(registry, publish('shop:orders', ORDERS))
    const outcome = await submit(registry, republish('shop:users', USERS.replace('name: String', 'name: Int')))
    const warning = {
      code: 'BREAKING_CHANGE',
      message:
        "shop:users breaks clients of the supergraph: FIELD_TYPE_CHANGED: Field 'User.name' changed type from 'String' to 'Int'.",
      entryId: 'shop:users',
      entryIds: [],
    }
    expect(outcome).toMatchObject({ type: 'applied', warnings: [warning] })
    expect(await registry.warningsOf(outcome as never)).toEqual([warning])
    const back = await strict.revertVersion({ version: 2 }, { author: null })
    expect(back).toMatchObject({
      type: 'applied',
      warnings: expect.arrayContaining([expect.objectContaining({ entryId: 'shop:orders' })]),
    })
    const moved = await strict.applyVersion({ version: 2, dryRun: true }, { author: null })
    expect(moved).toMatchObject({
      type: 'applied',
      dryRun: true,
      warnings: [expect.objectContaining({ entryId: 'shop:users' })],
    })
    for (const each of [registry, strict]) await each.close()
    await history.close()
  })

  it('leave out what was deprecated before it is removed', async () => {
    const history = openMemoryHistory(HISTORY_OPTIONS)
    const registry = composingRegistry(history)
    await submit(registry, publish('shop:users', USERS))
    await submit(registry, republish('shop:users', USERS.replace('name: String', 'name: String @deprecated')))
    const outcome = await submit(registry, republish('shop:users', USERS.replace('  name: String\n', '')))
    expect(outcome).toMatchObject({ type: 'applied' })
    await registry.close()
    await history.close()
  })

  it('of a version that does not compose any more refuse to go there', async () => {
    const history = openMemoryHistory(HISTORY_OPTIONS)
    const plain = registryOver(history)
    await submit(plain, publish('shop:users', USERS), publish('shop:names', NAMES))
    await submit(plain, remove('shop:names'))
    const registry = composingRegistry(history)
    const outcome = await registry.applyVersion({ version: 1 }, { author: null })
    expect(problemsOf(outcome)).toMatchObject([
      { code: 'REJECTED', entryId: 'shop:names', participant: 'graphql.compose' },
    ])
    await registry.close()
    await history.close()
  })
})
