import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBranchedGateway } from '../branched-gateway.js'
import type { Gateway } from '../schema-fixture.js'

let gateway: Gateway

beforeAll(async () => {
  gateway = await openBranchedGateway()
})
afterAll(() => gateway.close())

const one = async (document: string, variables?: Record<string, unknown>) =>
  Object.values(await gateway.data(document, variables))[0] as any

describe('node', () => {
  const node = (id: string) =>
    one(
      'query ($id: ID!) { node(id: $id) { __typename id ... on EntryState { entryId digest } ... on Version { number } } }',
      { id },
    )

  it('finds a node of each type by its id', async () => {
    expect(await node('app:db')).toMatchObject({ __typename: 'Entry', id: 'app:db', entryId: 'app:db' })
    expect(await node('r2/app:db')).toMatchObject({ __typename: 'EntryRevision', id: 'r2/app:db', entryId: 'app:db' })
    expect(await node('v2')).toEqual({ __typename: 'Version', id: 'v2', number: 2 })
  })

  it('finds snapshots, transitions, tags and providers by their ids', async () => {
    await gateway.data('mutation { setTag(input: {name: "release/1", version: 1}) { name } }')
    const { snapshot, transitions, tags, providers } = await gateway.data(
      '{ snapshot(at: {revision: 2}) { id } transitions { nodes { id } } tags { nodes { id } } providers { id } }',
    )
    expect(snapshot).toEqual({ id: 's2' })
    expect(tags.nodes).toEqual([{ id: 'tag/release/1' }])
    const ids = [snapshot, ...transitions.nodes, ...tags.nodes, ...providers].map(({ id }: any) => id) as string[]
    const { nodes } = await gateway.data('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids })
    expect(nodes.map(({ id }: any) => id)).toEqual(ids)
    expect(new Set(nodes.map(({ __typename }: any) => __typename))).toEqual(
      new Set(['Snapshot', 'Transition', 'Tag', ...(providers.length > 0 ? ['Provider'] : [])]),
    )
    expect(await gateway.data('{ node(id: "s2") { ... on Snapshot { revision entryCount } } }')).toMatchObject({
      node: { revision: 2 },
    })
  })

  it('is null for an unknown id', async () => {
    const nothing = [
      's99',
      's01',
      't0',
      't99',
      'tag/',
      'tag/none',
      'tag/\u0000',
      'source/none',
      'provider/store/none',
      'provider/none',
      'provider//',
      '',
      'v',
      'v99',
      'v-1',
      'v01',
      'v99999999999999999999',
      'r4/app:db',
      'r0/app:db',
      'r99/app:db',
      'r02/app:db',
      'r/app:db',
      'app:gone',
      'app',
      'r2/',
      'r2/app',
      'x\u0000:y',
      'r1/r1/app:db',
    ]
    for (const id of nothing) expect([id, await node(id)]).toEqual([id, null])
  })

  it('finds a node by any id that the API returned', async () => {
    const { entries, versions } = await gateway.data(
      '{ entries { nodes { id history { nodes { id } } } } versions { nodes { id } } }',
    )
    const ids = [
      ...entries.nodes.flatMap(({ id, history }: any) => [id, ...history.nodes.map((past: any) => past.id)]),
      ...versions.nodes.map(({ id }: any) => id),
    ] as string[]
    const { nodes } = await gateway.data('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })
    expect(nodes.map(({ id }: any) => id)).toEqual(ids)
  })

  it('returns nodes in the requested order, with null for unknown ids', async () => {
    expect(await one('{ nodes(ids: ["v1", "nope", "app:db", "r1/app:db", "app:db"]) { id } }')).toEqual([
      { id: 'v1' },
      null,
      { id: 'app:db' },
      { id: 'r1/app:db' },
      { id: 'app:db' },
    ])
    expect(
      await gateway.code('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
        ids: Array.from({ length: 1001 }, (_, n) => `a:${n}`),
      }),
    ).toBe('BAD_USER_INPUT')
  })
})
