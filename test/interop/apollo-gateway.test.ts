import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPLY, createEntries, post, type TestGateway, testGateway } from '../server/server-fixture.js'
import { type NeighborSubgraph, startComments, startReviews } from './neighbor-subgraphs.js'
import { INSTALL_MS, installInterop, interop } from './packages.js'
import { composeSupergraph, registrySubgraph } from './supergraph-fixture.js'

interface Result {
  readonly data: any
  readonly errors?: { message: string; path?: unknown[]; extensions: Record<string, any> }[]
}

/** Executes an operation as a server around `@apollo/gateway` does. */
type Execute = (query: string, variables?: object) => Promise<Result>

describe('@apollo/gateway', () => {
  let registry: TestGateway
  const neighbors: NeighborSubgraph[] = []
  let gateway: any
  let execute: Execute

  beforeAll(async () => {
    await installInterop()
    registry = await testGateway({}, { federation: { prefix: null, keep: [], node: false } })
    const revision = await createEntries(registry, { 'shop:cart': 1, 'shop:unrated': 2 })
    await createEntries(registry, { 'shop:later': 3 })
    for (const data of [3, 4])
      await post(registry, APPLY, {
        input: { operations: [{ update: { id: 'shop:cart', kind: 'test.thing', data } }] },
      })
    await post(registry, 'mutation { compact(before: 4) { oldestRevision } }')
    const [reviews, comments] = [
      await startReviews([
        { sku: 'cart', entry: { id: 'shop:cart' }, state: { id: `r${revision}/shop:cart` }, version: { number: 1 } },
        { sku: 'absent', entry: { id: 'shop:none' }, state: { id: 'r2/shop:later' }, version: { number: 99 } },
        { sku: 'bare', entry: null, state: { id: 'no id' }, version: null },
      ]),
      await startComments(),
    ]
    neighbors.push(reviews, comments)
    const supergraph = await composeSupergraph(
      registrySubgraph(registry.endpoint),
      { name: 'reviews', ...reviews },
      { name: 'comments', ...comments },
    )
    const { ApolloGateway } = interop('@apollo/gateway')
    gateway = new ApolloGateway({ supergraphSdl: supergraph, logger: SILENT })
    execute = await executorOf(gateway)
  }, INSTALL_MS)
  afterAll(async () => {
    await gateway?.stop()
    await registry?.close()
    for (const neighbor of neighbors) await neighbor.close()
  })

  it('answers from all subgraphs through a page of entries', async () => {
    const { data, errors } = await execute(`{
      entries(first: 1) { totalCount nodes { entryId data reviews { text entry { kind } } comments } }
    }`)
    expect(errors).toBeUndefined()
    expect(data.entries).toEqual({
      totalCount: 3,
      nodes: [
        {
          entryId: 'shop:cart',
          data: 4,
          reviews: [{ text: 'about shop:cart', entry: { kind: 'test.thing' } }],
          comments: ['of shop:cart'],
        },
      ],
    })
  })

  it('adds a field to revisions of entries by an interface object', async () => {
    // Beside __typename, this gateway answers null: it takes the name of the interface object for that of the entry.
    const { data, errors } = await execute(
      '{ entry(id: "shop:later") { comments history { nodes { revision comments } } } }',
    )
    expect(errors).toBeUndefined()
    expect(data.entry).toEqual({
      comments: ['of shop:later'],
      history: { nodes: [{ revision: 2, comments: ['of r2/shop:later'] }] },
    })
  })

  it('finds entities by the keys that another subgraph sends, and keeps nulls and errors at their places', async () => {
    const { data, errors } = await execute(
      '{ products { sku entry { kind } state { revision } version { number author } } }',
    )
    expect(data.products).toEqual([
      { sku: 'cart', entry: { kind: 'test.thing' }, state: null, version: { number: 1, author: null } },
      { sku: 'absent', entry: null, state: { revision: 2 }, version: { number: 99, author: null } },
      { sku: 'bare', entry: null, state: null, version: null },
    ])
    expect(errors!.map(({ extensions }) => extensions['code'])).toEqual(['COMPACTED'])
  })

  it('keeps the answers of other fields and subgraphs beside a bad argument', async () => {
    const { data, errors } = await execute('{ entries(first: -1) { totalCount } currentVersion { number } maybe }')
    expect(data).toEqual({ entries: null, currentVersion: { number: 4 }, maybe: null })
    expect(errors!.map(({ path, extensions }) => [path, extensions['code']])).toEqual([[['entries'], 'BAD_USER_INPUT']])
  })

  it('loses an entry, and nothing else, by the error of another subgraph', async () => {
    const { data, errors } = await execute(
      '{ bad: entry(id: "shop:unrated") { kind rating } good: entry(id: "shop:cart") { kind rating } }',
    )
    expect(data).toEqual({ bad: null, good: { kind: 'test.thing', rating: 9 } })
    expect(errors!.some(({ extensions }) => extensions['code'] === 'UNRATED')).toBe(true)
  })

  it('applies changesets with variables, and reads its own write', async () => {
    const input = { operations: [{ create: { id: 'shop:new', kind: 'k', data: { deep: [1, null] } } }] }
    const applied = await execute(APPLY, { input })
    expect(applied.errors).toBeUndefined()
    expect(applied.data.applyChangeset.__typename).toBe('Applied')
    const refused = await execute(APPLY, { input })
    expect(refused.data.applyChangeset).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'ENTRY_EXISTS', operation: 0, entryId: 'shop:new' }],
    })
    const { data } = await execute('query ($id: EntryID!) { entry(id: $id) { data reviews { text } } }', {
      id: 'shop:new',
    })
    expect(data.entry).toEqual({ data: { deep: [1, null] }, reviews: [{ text: 'about shop:new' }] })
  })
})

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

async function executorOf(gateway: any): Promise<Execute> {
  const { parse } = interop('graphql')
  const { executor } = await gateway.load()
  return async (query, variables = {}) => {
    const result = await executor({
      source: query,
      document: parse(query),
      request: { query, variables },
      queryHash: createHash('sha256').update(query).digest('hex'),
      operationName: null,
      context: {},
      metrics: {},
      overallCachePolicy: {},
    })
    // Answers are objects without a prototype, as they are before a server prints them.
    return JSON.parse(JSON.stringify(result))
  }
}
