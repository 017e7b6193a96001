import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { followChanges } from '../../../src/cli/gateway/follow-changes.js'
import { gatewayUrl } from '../../../src/cli/gateway/gateway-url.js'
import type { Gateway } from '../../../src/server/gateway.js'
import { post } from '../../server/server-fixture.js'
import { openGateway } from '../cli-fixture.js'

/** A TCP proxy that forwards connections, or accepts them and never answers. */
async function openProxy(target: string) {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const proxy = {
    isSilent: false,
    connections: 0,
    url: '',
    cut: () => sockets.forEach((socket) => void socket.destroy()),
  }
  const server = createServer((client) => {
    proxy.connections++
    sockets.add(client)
    client.on('error', () => {})
    client.on('close', () => sockets.delete(client))
    if (proxy.isSilent) return
    const upstream = connect(Number(port), hostname)
    upstream.on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () => {
    proxy.cut()
    server.close()
  }
  return { proxy, close }
}

let gateway: Gateway
beforeEach(async () => {
  gateway = await openGateway()
})
afterEach(() => gateway.close())

describe('followChanges', () => {
  it('reconnects if a peer accepts the connection and never answers the handshake', async () => {
    const { proxy, close } = await openProxy(gateway.url)
    const stop = new AbortController()
    const revisions: number[] = []
    const reasons: string[] = []
    const following = followChanges(
      { url: gatewayUrl(proxy.url), author: undefined, timeoutMs: 1_000 },
      {
        after: null,
        find: null,
        initial: false,
        withContent: false,
        signal: stop.signal,
        onBatch: async ({ revision }) => void revisions.push(revision),
        onLost: (reason) => reasons.push(reason),
        onReconnected: () => {},
      },
    )
    const patiently = { timeout: 60_000 }
    await vi.waitFor(() => expect(revisions).toEqual([0]), patiently)
    proxy.isSilent = true
    proxy.cut()
    await vi.waitFor(() => expect(reasons.length).toBeGreaterThan(1), patiently)
    proxy.isSilent = false
    await post(
      gateway,
      'mutation { applyChangeset(input: { operations: [{ create: { id: "a:b", kind: "k" } }] }) { __typename } }',
    )
    await vi.waitFor(() => expect(revisions).toContain(1), patiently)
    stop.abort()
    await following
    close()
  })
})
