import { buildSchema, introspectionFromSchema } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { printedSchema } from '../../src/graphql/printed-schema.js'
import { createEntries, type TestGateway, testGateway } from '../server/server-fixture.js'
import { INSTALL_MS, installInterop, interop } from './packages.js'

describe('urql with graphcache', () => {
  let gateway: TestGateway
  let client: any
  const warnings: string[] = []
  let requests = 0

  beforeAll(async () => {
    await installInterop()
    gateway = await testGateway()
    await createEntries(gateway, { 'shop:cart': 1, 'shop:till': 2 })
    const { Client, fetchExchange } = interop('@urql/core')
    const { cacheExchange } = interop('@urql/exchange-graphcache')
    client = new Client({
      url: gateway.endpoint,
      preferGetMethod: false,
      exchanges: [
        cacheExchange({
          schema: introspectionFromSchema(buildSchema(printedSchema())),
          logger: (severity: string, message: string) => severity !== 'debug' && warnings.push(message),
        }),
        fetchExchange,
      ],
      fetch: (input: string, init: RequestInit) => {
        requests++
        return fetch(input, init)
      },
    })
  }, INSTALL_MS)
  afterAll(() => gateway?.close())

  const ENTRIES = '{ entries(first: 2) { nodes { id data } pageInfo { hasNextPage } } }'

  it('answers a repeated query from its cache', async () => {
    const first = await client.query(ENTRIES, {}).toPromise()
    expect(first.error).toBeUndefined()
    const before = requests
    const second = await client.query(ENTRIES, {}).toPromise()
    expect(second.data.entries.nodes.map(({ data }: { data: number }) => data)).toEqual([1, 2])
    expect(requests).toBe(before)
  })

  it('shows what a later read found in an earlier query, by the id of the entry', async () => {
    await client
      .mutation(
        `mutation {
          applyChangeset(input: { operations: [{ update: { id: "shop:cart", kind: "test.thing", data: 7 } }] }) {
            __typename ... on Applied { version { id number } }
          }
        }`,
        {},
      )
      .toPromise()
    await client.query('{ entry(id: "shop:cart") { id data } }', {}).toPromise()
    const again = await client.query(ENTRIES, {}, { requestPolicy: 'cache-only' }).toPromise()
    expect(again.data.entries.nodes.map(({ data }: { data: number }) => data)).toEqual([7, 2])
  })

  it('matches fragments on interfaces by the schema, and warns of nothing', async () => {
    const { data, error } = await client
      .query(
        `{ nodes(ids: ["shop:till", "r1/shop:till", "v1", "t1"]) {
          __typename id
          ... on EntryState { entryId data }
          ... on Version { number }
          ... on Transition { revision }
        } }`,
        {},
      )
      .toPromise()
    expect(error).toBeUndefined()
    expect(data.nodes).toEqual([
      { __typename: 'Entry', id: 'shop:till', entryId: 'shop:till', data: 2 },
      { __typename: 'EntryRevision', id: 'r1/shop:till', entryId: 'shop:till', data: 2 },
      { __typename: 'Version', id: 'v1', number: 1 },
      { __typename: 'Transition', id: 't1', revision: 1 },
    ])
    expect(warnings).toEqual([])
  })
})
