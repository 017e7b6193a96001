import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPLY, post, type TestGateway, testGateway } from '../server/server-fixture.js'
import { type NeighborSubgraph, startReviews } from './neighbor-subgraphs.js'
import { INSTALL_MS, installInterop, interop } from './packages.js'

const POLL_MS = 200
const OLD = 'type Query { products: [Product!]! } type Product { sku: ID! }'
const NEW = 'type Query { products: [Product!]! maybe: String } type Product { sku: ID! }'

/** A gateway that polls its supergraph. `maybe` is null once the gateway has the new supergraph. */
interface Polling {
  execute(query: string): Promise<any>
  close(): Promise<void>
}

const GATEWAYS: Readonly<Record<string, (url: string) => Promise<Polling>>> = {
  'Hive Gateway': startHive,
  '@apollo/gateway': startApollo,
}

describe.each(Object.keys(GATEWAYS))('%s over a supergraph of the registry', (name) => {
  let registry: TestGateway
  let subgraph: NeighborSubgraph
  let gateway: Polling
  const publish = async (operation: 'create' | 'update', sdl: string) => {
    const data = { sdl, url: subgraph.url }
    const { body } = await post(registry, APPLY, {
      input: { operations: [{ [operation]: { id: 'shop:reviews', kind: 'graphql.subgraph', data } }] },
    })
    expect(body.data!['applyChangeset'].__typename).toBe('Applied')
  }

  beforeAll(async () => {
    await installInterop()
    registry = await testGateway({}, {}, { CADASTRE_COMPOSE: 'shop' })
    subgraph = await startReviews([{ sku: 'cart' }])
    await publish('create', OLD)
    gateway = await GATEWAYS[name]!(`${registry.url}supergraph/shop`)
  }, INSTALL_MS)
  afterAll(async () => {
    await gateway?.close()
    await registry?.close()
    await subgraph?.close()
  })

  it('takes a new supergraph without a restart', async () => {
    expect(await gateway.execute('{ products { sku } }')).toEqual({ data: { products: [{ sku: 'cart' }] } })
    expect((await gateway.execute('{ maybe }')).errors).toHaveLength(1)
    await publish('update', NEW)
    await expect
      .poll(() => gateway.execute('{ maybe products { sku } }'), { interval: POLL_MS })
      .toEqual({
        data: { maybe: null, products: [{ sku: 'cart' }] },
      })
  })
})

async function startHive(supergraph: string): Promise<Polling> {
  const { createGatewayRuntime } = interop('@graphql-hive/gateway-runtime')
  const runtime = createGatewayRuntime({ supergraph, pollingInterval: POLL_MS, logging: false })
  const server = createServer(runtime)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
  return {
    execute: async (query) => (await post({ endpoint }, query)).body,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await runtime[Symbol.asyncDispose]()
    },
  }
}

/** Polls as docs/federation.md says. */
async function startApollo(url: string): Promise<Polling> {
  const { ApolloGateway } = interop('@apollo/gateway')
  const { parse, validate } = interop('graphql')
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  let etag = ''
  const poll = async () => {
    const response = await fetch(url, { headers: { 'if-none-match': etag } })
    if (response.status !== 200) return undefined
    etag = response.headers.get('etag')!
    return response.text()
  }
  let timer: NodeJS.Timeout | undefined
  const gateway = new ApolloGateway({
    logger: silent,
    supergraphSdl: async ({ update }: { update: (sdl: string) => void }) => {
      const current = await poll()
      timer = setInterval(async () => {
        const sdl = await poll().catch(() => undefined)
        if (sdl !== undefined) update(sdl)
      }, POLL_MS)
      return { supergraphSdl: current, cleanup: async () => clearInterval(timer) }
    },
  })
  let schema: unknown
  gateway.onSchemaLoadOrUpdate(({ apiSchema }: { apiSchema: unknown }) => {
    schema = apiSchema
  })
  const { executor } = await gateway.load()
  return {
    async execute(query) {
      const document = parse(query)
      const errors = validate(schema, document)
      if (errors.length > 0) return { errors }
      const result = await executor({
        source: query,
        document,
        request: { query, variables: {} },
        queryHash: query,
        operationName: null,
        context: {},
        metrics: {},
        overallCachePolicy: {},
      })
      return JSON.parse(JSON.stringify(result))
    },
    close: () => gateway.stop(),
  }
}
