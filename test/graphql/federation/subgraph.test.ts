import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SubgraphOptions } from '../../../src/graphql/federation/subgraph-schema.js'
import { schema } from '../../../src/graphql/schema.js'
import { printedSubgraph } from '../../../src/server/engine/subgraph.js'
import { createEntries, post, type TestGateway, testGateway } from '../../server/server-fixture.js'

const PLAIN: SubgraphOptions = { prefix: null, keep: [], node: false }
const PREFIXED: SubgraphOptions = { prefix: 'Registry', keep: ['Entry'], node: false }
const at = (gateway: TestGateway, path: string) => ({ endpoint: gateway.endpoint.replace('/graphql', path) })

const ENTITIES = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Entry { entryId kind }
    ... on EntryRevision { entryId revision }
    ... on Version { number isHead }
    ... on Transition { revision }
    ... on Snapshot { revision }
    ... on Tag { name }
    ... on Provider { role name }
    ... on Instance { id }
  }
}`

describe('the subgraph', () => {
  let gateway: TestGateway
  let prefixed: TestGateway
  let revision: number
  let instance: string
  const resolved = async (representations: unknown[], path = '/graphql') => {
    const { body } = await post(at(gateway, path), ENTITIES, { representations })
    return body
  }

  beforeAll(async () => {
    gateway = await testGateway({}, { federation: PLAIN })
    prefixed = await testGateway({}, { federation: PREFIXED })
    revision = await createEntries(gateway, { 'shop:cart': 1, 'shop:till': 2 })
    await post(gateway, 'mutation { setTag(input: { name: "first", version: 1 }) { name } }')
    const acquired = await post(
      gateway,
      'mutation { acquireInstance(input: { entry: "shop:cart", name: "i", ttlSeconds: 60 }) { id } }',
    )
    instance = acquired.body.data!['acquireInstance'].id
    await createEntries(prefixed, { 'shop:cart': 1 })
  })
  afterAll(async () => {
    await gateway.close()
    await prefixed.close()
  })

  it.each(['/graphql', '/subgraph'])('finds every type of entity by each of its keys at %s', async (path) => {
    const cases: [object, object][] = [
      [
        { __typename: 'Entry', id: 'shop:cart' },
        { __typename: 'Entry', entryId: 'shop:cart' },
      ],
      [
        { __typename: 'Entry', entryId: 'shop:till' },
        { __typename: 'Entry', entryId: 'shop:till' },
      ],
      [
        { __typename: 'EntryRevision', id: `r${revision}/shop:cart` },
        { __typename: 'EntryRevision', revision },
      ],
      [
        { __typename: 'EntryRevision', entryId: 'shop:cart', revision },
        { __typename: 'EntryRevision', entryId: 'shop:cart' },
      ],
      [
        { __typename: 'EntryState', id: 'shop:cart' },
        { __typename: 'Entry', entryId: 'shop:cart' },
      ],
      [{ __typename: 'EntryState', id: `r${revision}/shop:cart` }, { __typename: 'EntryRevision' }],
      [
        { __typename: 'Version', id: 'v1' },
        { __typename: 'Version', number: 1 },
      ],
      [
        { __typename: 'Version', number: 1 },
        { __typename: 'Version', isHead: true },
      ],
      [
        { __typename: 'Transition', revision },
        { __typename: 'Transition', revision },
      ],
      [
        { __typename: 'Snapshot', revision },
        { __typename: 'Snapshot', revision },
      ],
      [
        { __typename: 'Tag', name: 'first' },
        { __typename: 'Tag', name: 'first' },
      ],
      [
        { __typename: 'Provider', role: 'source', name: 'filesystem' },
        { __typename: 'Provider', role: 'source' },
      ],
      [
        { __typename: 'Instance', id: instance },
        { __typename: 'Instance', id: instance },
      ],
    ]
    const { data, errors } = await resolved(
      cases.map(([representation]) => representation),
      path,
    )
    expect(errors).toBeUndefined()
    expect(data!['_entities']).toMatchObject(cases.map(([, found]) => found))
  })

  it('gives null for what is absent, malformed, without a key, or of another type', async () => {
    const { data, errors } = await resolved([
      { __typename: 'Entry', id: 'shop:none' },
      { __typename: 'Entry', id: 7 },
      { __typename: 'Entry', id: null },
      { __typename: 'Entry' },
      { __typename: 'Entry', id: 'v1' },
      { __typename: 'Version', id: 'shop:cart' },
      { __typename: 'Version', number: '1' },
      { __typename: 'Version', number: 99 },
      { __typename: 'EntryRevision', entryId: 'shop:cart' },
      { __typename: 'Snapshot', revision: 10 ** 6 },
      { __typename: 'Provider', role: 'source/filesystem', name: '' },
    ])
    expect(errors).toBeUndefined()
    expect(data!['_entities']).toEqual(Array(11).fill(null))
  })

  it('reports an error at its place only', async () => {
    const { data, errors } = await resolved([
      { id: 'shop:cart' },
      { __typename: 'Entry', id: 'shop:cart' },
      { __typename: 'Problem' },
      5,
      { __typename: 'toString', id: 'x:y' },
    ])
    expect(data!['_entities']).toMatchObject([null, { entryId: 'shop:cart' }, null, null, null])
    expect(errors!.map(({ path, extensions }) => [path, extensions['code']])).toEqual(
      [0, 2, 3, 4].map((place) => [['_entities', place], 'BAD_USER_INPUT']),
    )
  })

  it('counts representations as objects of the answer', async () => {
    const representations = Array(2_000).fill({ __typename: 'Entry', id: 'shop:cart' })
    const shallow = await post(gateway, 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }', {
      r: representations,
    })
    expect(shallow.body.data!['_entities']).toHaveLength(2_000)
    const deep = await post(
      gateway,
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Entry { history(first: 1000) { nodes { digest } } } } }',
      { r: representations },
    )
    expect(deep.body.errors![0]!.extensions['code']).toBe('QUERY_TOO_COMPLEX')
  })

  it.each([
    ['a number for a name', { __typename: 'Tag', name: 1 }],
    ['a list for an id', { __typename: 'Entry', id: ['shop:cart'] }],
    ['an object for an id', { __typename: 'EntryRevision', id: { toString: 'r1/shop:cart' } }],
    ['the id of another type', { __typename: 'Snapshot', id: 'v1', revision: null }],
    ['a fraction for a revision', { __typename: 'Transition', revision: 1.5 }],
    ['a negative number', { __typename: 'Version', number: -1 }],
    ['a number that no double holds exactly', { __typename: 'Version', number: 2 ** 60 }],
    ['half of a key', { __typename: 'Provider', role: 'source' }],
    ['a slash in a role', { __typename: 'Provider', role: 'a/b', name: 'c' }],
    ['an empty id', { __typename: 'Instance', id: '' }],
    ['an id of a megabyte', { __typename: 'Entry', id: 'x'.repeat(1_000_000) }],
  ])('gives null for a key with %s, and the entities beside it', async (_what, lying) => {
    const good = { __typename: 'Entry', id: 'shop:cart' }
    const { data, errors } = await resolved([good, lying, good])
    expect(errors).toBeUndefined()
    const cart = { __typename: 'Entry', entryId: 'shop:cart', kind: 'test.thing' }
    expect(data!['_entities']).toEqual([cart, null, cart])
  })

  it('answers repeated and mixed representations each at its place', async () => {
    const cases = Array.from({ length: 999 }, (_, n) =>
      [{ __typename: 'Entry', id: 'shop:cart' }, { __typename: 'Version', number: 1 }, { id: 'shop:cart' }].at(n % 3),
    )
    const { data, errors } = await resolved(cases)
    expect(data!['_entities']).toMatchObject(
      cases.map((_, n) => [{ entryId: 'shop:cart' }, { number: 1 }, null].at(n % 3)!),
    )
    expect(errors!.map(({ path }) => path![1])).toEqual(Array.from({ length: 333 }, (_, n) => 3 * n + 2))
  })

  it('has no limit of its own on representations, which count with what is selected below each', async () => {
    const representations = Array.from({ length: 10_000 }, (_, n) => ({ __typename: 'Entry', id: `shop:e${n}` }))
    const find = (selection: string) =>
      post(gateway, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Entry ${selection} } }`, {
        r: [...representations.slice(1), { __typename: 'Entry', id: 'shop:till' }],
      })
    const flat = await find('{ entryId }')
    expect(flat.body.errors).toBeUndefined()
    expect(flat.body.data!['_entities']).toEqual([...Array(9_999).fill(null), { entryId: 'shop:till' }])
    const deep = await find('{ history(first: 100) { nodes { digest } } }')
    expect(deep.body.errors!.map(({ extensions }) => extensions['code'])).toEqual(['QUERY_TOO_COMPLEX'])
  })

  it('renames types and root fields by a prefix, at /subgraph alone', async () => {
    const subgraph = at(prefixed, '/subgraph')
    const { body } = await post(
      subgraph,
      `{ registryEntries { __typename nodes { __typename id } } registryVersion(number: 1) { __typename }
         _entities(representations: [{ __typename: "Entry", id: "shop:cart" }, { __typename: "RegistryVersion", number: 1 }, { __typename: "Version", number: 1 }]) { __typename } }`,
    )
    expect(body.data).toEqual({
      registryEntries: { __typename: 'RegistryEntryConnection', nodes: [{ __typename: 'Entry', id: 'shop:cart' }] },
      registryVersion: { __typename: 'RegistryVersion' },
      _entities: [{ __typename: 'Entry' }, { __typename: 'RegistryVersion' }, null],
    })
    const applied = await post(
      subgraph,
      'mutation { registryApplyChangeset(input: { operations: [{ create: { id: "shop:x", kind: "k" } }] }) { __typename } }',
    )
    expect(applied.body.data).toEqual({ registryApplyChangeset: { __typename: 'RegistryApplied' } })
    const plain = await post(prefixed, '{ entries { __typename } }')
    expect(plain.body.data).toEqual({ entries: { __typename: 'EntryConnection' } })
    expect((await post(prefixed, '{ _service { sdl } }')).body.errors).toBeDefined()
  })

  it('serves the SDL of schema/subgraph.graphql by default, at both paths', async () => {
    for (const path of ['/graphql', '/subgraph']) {
      const { body } = await post(at(gateway, path), '{ _service { sdl } }')
      expect(body.data).toEqual({ _service: { sdl: printedSubgraph(schema) } })
    }
  })

  it('does not lose the answers of other fields by a bad argument', async () => {
    const { body } = await post(
      at(gateway, '/subgraph'),
      '{ entries(first: -1) { totalCount } currentVersion { number } }',
    )
    expect(body.data).toMatchObject({ entries: null, currentVersion: { number: 1 } })
    expect(body.errors).toHaveLength(1)
  })

  it('is absent unless it is switched on', async () => {
    const without = await testGateway()
    expect((await post(without, '{ _service { sdl } }')).body.errors![0]!.extensions['code']).toBe(
      'GRAPHQL_VALIDATION_FAILED',
    )
    expect((await fetch(at(without, '/subgraph').endpoint, { method: 'POST' })).status).toBe(404)
    await without.close()
  })
})
