import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { createEntries, type TestGateway, testGateway } from '../server/server-fixture.js'
import { INSTALL_MS, installInterop, interop } from './packages.js'

describe('@apollo/client', () => {
  let gateway: TestGateway
  let client: any
  let gql: (text: string) => unknown
  let socket: { dispose(): unknown }
  const sent: any[] = []

  beforeAll(async () => {
    await installInterop()
    gateway = await testGateway()
    await createEntries(gateway, { 'shop:cart': 1, 'shop:till': 2 })
    const apollo = interop('@apollo/client')
    const { PersistedQueryLink } = interop('@apollo/client/link/persisted-queries')
    const { GraphQLWsLink } = interop('@apollo/client/link/subscriptions')
    const { createClient } = interop('graphql-ws')
    gql = apollo.gql
    const recording: typeof fetch = (input, init) => {
      sent.push(JSON.parse(String(init!.body)))
      return fetch(input, init)
    }
    const http = new apollo.HttpLink({ uri: gateway.endpoint, fetch: recording })
    const persisted = new PersistedQueryLink({
      sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
    })
    socket = createClient({ url: gateway.endpoint.replace('http', 'ws'), webSocketImpl: WebSocket })
    client = new apollo.ApolloClient({
      // The interfaces of the schema, without which fragments on them match nothing.
      cache: new apollo.InMemoryCache({
        possibleTypes: {
          EntryState: ['Entry', 'EntryRevision'],
          ApplyResult: ['Applied', 'Refused'],
          Node: ['Entry', 'EntryRevision', 'Version', 'Transition'],
        },
      }),
      link: apollo.ApolloLink.split(
        (operation: any) => operation.getContext().transport === 'graphql-ws',
        new GraphQLWsLink(socket),
        apollo.ApolloLink.split(
          ({ operationType }: any) => operationType === 'subscription',
          // Subscriptions over HTTP are multipart answers.
          new apollo.HttpLink({ uri: gateway.endpoint }),
          persisted.concat(http),
        ),
      ),
    })
  }, INSTALL_MS)
  afterAll(async () => {
    client?.stop()
    await socket?.dispose()
    await gateway?.close()
  })

  it('sends the hash of a document alone once the gateway knows the document', async () => {
    const query = gql('query Head { currentVersion { id number } }')
    for (let n = 0; n < 2; n++) {
      const { data } = await client.query({ query, fetchPolicy: 'network-only' })
      expect(data.currentVersion).toMatchObject({ id: 'v1', number: 1 })
    }
    expect(sent.map((body) => ['query' in body, 'persistedQuery' in body.extensions])).toEqual([
      [false, true],
      [true, true],
      [false, true],
    ])
  })

  it('keeps an entry, its revisions, its version and its transition apart in the cache', async () => {
    await client.query({
      query: gql(`{
        entry(id: "shop:cart") { id data history { nodes { id data } } version { id number } }
        node(id: "t1") { id ... on Transition { revision } }
      }`),
    })
    const { ROOT_QUERY: _root, ...objects } = client.cache.extract()
    expect(Object.keys(objects)).toEqual(
      expect.arrayContaining(['Entry:shop:cart', 'EntryRevision:r1/shop:cart', 'Transition:t1', 'Version:v1']),
    )
  })

  it('shows a write in a query that is watched, by the id of the entry alone', async () => {
    const seen: unknown[] = []
    let wake = () => {}
    const watching = client
      .watchQuery({ query: gql('{ entry(id: "shop:cart") { id data } }') })
      .subscribe(({ data }: any) => {
        if (data?.entry !== undefined) seen.push(data.entry.data)
        wake()
      })
    const applied = await client.mutate({
      mutation: gql(`mutation {
        applyChangeset(input: { operations: [{ update: { id: "shop:cart", kind: "test.thing", data: 7 } }] }) {
          ... on Applied { changes { entryId } }
        }
      }`),
    })
    expect(applied.data.applyChangeset.__typename).toBe('Applied')
    await client.query({
      query: gql('query Again { entry(id: "shop:cart") { id data } }'),
      fetchPolicy: 'network-only',
    })
    while (seen.at(-1) !== 7) await new Promise<void>((resolve) => (wake = resolve))
    expect(seen).toEqual([1, 7])
    watching.unsubscribe()
  })

  it.each(['graphql-ws', 'multipart HTTP'])('follows changes over %s', async (transport) => {
    const query = gql('subscription { changes(afterRevision: 1) { cursor revision changes { entryId kind } } }')
    const changed = await new Promise<any>((resolve, reject) => {
      const following = client.subscribe({ query, context: { transport } }).subscribe({
        next({ data, error }: any) {
          if (error) reject(error)
          if (data.changes.changes.length === 0) return
          following.unsubscribe()
          resolve(data.changes)
        },
        error: reject,
      })
    })
    expect(changed).toMatchObject({ revision: 2, changes: [{ entryId: 'shop:cart', kind: 'UPDATE' }] })
  })
})
