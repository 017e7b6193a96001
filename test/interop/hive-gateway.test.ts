import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from 'graphql-sse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEntries, post, type TestGateway, testGateway } from '../server/server-fixture.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type NeighborSubgraph, startReviews } from './neighbor-subgraphs.js'
import { INSTALL_MS, installInterop, interop } from './packages.js'
import { composeSupergraph, registrySubgraph } from './supergraph-fixture.js'

/** How a gateway follows the registry: the options of its subgraph's transport. */
const UPSTREAMS = {
  'server-sent events': {},
  WebSocket: { subscriptions: { kind: 'ws', location: '/subgraph' } },
} as const

const CHANGES =
  'subscription ($after: String) { changes(after: $after) { cursor revision changes { entryId entry { data } } } }'

interface Batch {
  readonly cursor: string
  readonly revision: number
  readonly changes: readonly { entryId: string; entry: unknown }[]
}

interface HiveGateway {
  readonly endpoint: string
  close(): Promise<void>
}

describe('Hive Gateway', () => {
  let database: TestDatabase
  let registry: TestGateway
  let supergraph: string
  const neighbors: NeighborSubgraph[] = []
  const startRegistry = (port: string) =>
    testGateway(
      {},
      { federation: { prefix: null, keep: [], node: false } },
      { CADASTRE_STORE: 'postgres', DATABASE_URL: database.url, PORT: port },
    )

  beforeAll(async () => {
    await installInterop()
    database = await createTestDatabase()
    registry = await startRegistry('0')
    const reviews = await startReviews([
      { sku: 'cart', entry: { id: 'shop:cart' } },
      { sku: 'none', entry: { id: 'a:b' } },
    ])
    neighbors.push(reviews)
    supergraph = await composeSupergraph(registrySubgraph(registry.endpoint), { name: 'reviews', ...reviews })
    await createEntries(registry, { 'shop:cart': 1, 'shop:unrated': 2 })
  }, INSTALL_MS)
  afterAll(async () => {
    await registry?.close()
    for (const neighbor of neighbors) await neighbor.close()
    await database?.drop()
  })

  describe('with queries', () => {
    let hive: HiveGateway
    beforeAll(async () => {
      hive = await startHive(supergraph, {}, 0)
    })
    afterAll(() => hive?.close())

    it('answers from all subgraphs', async () => {
      const { body } = await post(
        hive,
        '{ entries { nodes { __typename entryId reviews { text } history { nodes { __typename revision } } } } products { entry { data } } }',
      )
      expect(body.errors).toBeUndefined()
      expect(body.data).toEqual({
        entries: {
          nodes: ['shop:cart', 'shop:unrated'].map((entryId) => ({
            __typename: 'Entry',
            entryId,
            reviews: [{ text: `about ${entryId}` }],
            history: { nodes: [{ __typename: 'EntryRevision', revision: 1 }] },
          })),
        },
        // The other subgraph said that this entry exists.
        products: [{ entry: { data: 1 } }, { entry: { data: null } }],
      })
    })

    it('keeps nulls and errors at their places', async () => {
      const { body } = await post(
        hive,
        '{ entries(first: -1) { totalCount } bad: entry(id: "shop:unrated") { rating } good: entry(id: "shop:cart") { rating } }',
      )
      expect(body.data).toEqual({ entries: null, bad: null, good: { rating: 9 } })
      expect(body.errors!.map(({ path, extensions }) => [path, extensions['code']])).toEqual(
        expect.arrayContaining([
          [['entries'], 'BAD_USER_INPUT'],
          [['bad', 'rating'], 'UNRATED'],
        ]),
      )
    })
  })

  describe.each(Object.keys(UPSTREAMS) as (keyof typeof UPSTREAMS)[])('with %s upstream', (upstream) => {
    let hive: HiveGateway
    let written = 0
    const write = () => createEntries(registry, { [`${upstream.replace(/\W/g, '-')}:e${++written}`]: written })

    beforeAll(async () => {
      hive = await startHive(supergraph, UPSTREAMS[upstream], 0)
    })
    afterAll(() => hive?.close())

    it('follows changes', async () => {
      const after = await write()
      const expected = await write()
      const follower = follow(hive.endpoint, await cursorOf(registry, after))
      await follower.reached(expected)
      expect(follower.batches[0]).toMatchObject({ revision: expected, changes: [{ entry: { data: 2 } }] })
      await follower.stop()
    })

    it('resumes by the cursor without a gap when the registry restarts', async () => {
      const begun = await write()
      const follower = follow(hive.endpoint, await cursorOf(registry, begun))
      await follower.reached(await write())
      const { port } = new URL(registry.endpoint)
      await registry.close()
      registry = await startRegistry(port)
      await write()
      await follower.reached(await write())
      await follower.stop()
      expectNoGap(follower, begun)
    })

    it('resumes by the cursor without a gap when the gateway restarts', async () => {
      const begun = await write()
      const follower = follow(hive.endpoint, await cursorOf(registry, begun))
      await follower.reached(await write())
      const { port } = new URL(hive.endpoint)
      await hive.close()
      await write()
      hive = await startHive(supergraph, UPSTREAMS[upstream], Number(port))
      await follower.reached(await write())
      await follower.stop()
      expectNoGap(follower, begun)
    })
  })
})

/** Starts a gateway, as its documentation says, behind a server of Node. */
async function startHive(supergraph: string, options: object, port: number): Promise<HiveGateway> {
  const { createGatewayRuntime } = interop('@graphql-hive/gateway-runtime')
  const runtime = createGatewayRuntime({
    supergraph,
    logging: false,
    transportEntries: { registry: { options } },
    maskedErrors: false,
  })
  const server: Server = createServer(runtime)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await runtime[Symbol.asyncDispose]()
    },
  }
}

async function cursorOf(registry: TestGateway, revision: number): Promise<string> {
  const { body } = await post(
    registry,
    'query ($revision: SafeInt!) { snapshot(at: { revision: $revision }) { cursor } }',
    {
      revision,
    },
  )
  return body.data!['snapshot'].cursor as string
}

/** Follows changes as docs/following.md says: whatever ends the stream, it resumes after its last cursor. */
function follow(url: string, after: string) {
  const stopping = new AbortController()
  const batches: Batch[] = []
  let wake = () => {}
  let dispose = () => {}
  const done = (async () => {
    while (!stopping.signal.aborted) {
      const client = createClient({ url, retryAttempts: 0 })
      dispose = () => client.dispose()
      try {
        for await (const { data } of client.iterate<{ changes: Batch }>({
          query: CHANGES,
          variables: { after: batches.at(-1)?.cursor ?? after },
        })) {
          if (data?.changes == null) break
          batches.push(data.changes)
          wake()
        }
      } catch {
        // The gateway is away.
      }
      client.dispose()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  return {
    batches,
    /** Resolves when the change of this revision was received. */
    async reached(revision: number) {
      while (!batches.some((batch) => batch.revision >= revision))
        await new Promise<void>((resolve) => (wake = resolve))
    },
    async stop() {
      stopping.abort()
      dispose()
      await done
    },
  }
}

/** Revisions may be repeated, because a gateway that reconnects by itself sends the first `after` again. */
function expectNoGap({ batches }: { batches: readonly Batch[] }, begun: number): void {
  const seen = [...new Set(batches.map(({ revision }) => revision))].sort((a, b) => a - b)
  expect(seen).toEqual(Array.from(seen, (_, i) => begun + 1 + i))
  expect(seen.length).toBeGreaterThan(2)
}
