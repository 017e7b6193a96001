import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
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

/** A WebSocket proxy that can end every subscription as a gateway does: with the message `complete`. */
async function openCompleter(target: string) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const open = new Map<WebSocket, Set<string>>()
  server.on('connection', (client) => {
    const ids = new Set<string>()
    open.set(client, ids)
    const upstream = new WebSocket(target.replace(/^http/, 'ws'), 'graphql-transport-ws')
    const waiting: string[] = []
    upstream.on('open', () => waiting.splice(0).forEach((text) => void upstream.send(text)))
    upstream.on('message', (data: Buffer) => client.send(data.toString()))
    upstream.on('close', () => client.close())
    client.on('message', (data: Buffer) => {
      const text = data.toString()
      const { id, type } = JSON.parse(text) as { id?: string; type: string }
      if (type === 'subscribe') ids.add(id!)
      if (upstream.readyState === WebSocket.OPEN) upstream.send(text)
      else waiting.push(text)
    })
    client.on('close', () => {
      open.delete(client)
      upstream.terminate()
    })
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    completeAll: () => {
      for (const [client, ids] of open) for (const id of ids) client.send(JSON.stringify({ id, type: 'complete' }))
    },
    close: () => {
      for (const client of server.clients) client.terminate()
      server.close()
    },
  }
}

/** The states of an address whose gateway is away. */
const ABSENCES = [
  'destroys',
  'is silent',
  'answers 503',
  'closes with 1012',
  'never acknowledges',
  'is unavailable',
] as const

/** A server in front of a gateway that forwards connections, or behaves like the address of a gateway that is away. */
async function openUnavailable(target: number) {
  const sockets = new Set<Socket>()
  const webSockets = new WebSocketServer({ noServer: true })
  const http = createHttpServer((_request, response) => response.writeHead(503).end())
  const away = {
    mode: 'forward' as 'forward' | (typeof ABSENCES)[number],
    url: '',
    cut: () => {},
    close: async () => {},
  }
  http.on('upgrade', (request, socket, head) => {
    if (away.mode === 'answers 503') return void socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n')
    webSockets.handleUpgrade(request, socket, head, (client) => {
      if (away.mode === 'closes with 1012') return client.close(1012, 'The gateway is stopping. Reconnect.')
      client.on('message', (data: Buffer) => {
        if (away.mode !== 'is unavailable') return
        const { id, type } = JSON.parse(data.toString()) as { id?: string; type: string }
        if (type === 'connection_init') client.send(JSON.stringify({ type: 'connection_ack' }))
        const error = { message: 'The store is unavailable.', extensions: { code: 'UNAVAILABLE' } }
        if (type === 'subscribe') client.send(JSON.stringify({ id, type: 'error', payload: [error] }))
      })
    })
  })
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => {})
    client.on('close', () => sockets.delete(client))
    if (away.mode === 'destroys') return void client.destroy()
    if (away.mode === 'is silent') return
    if (away.mode !== 'forward') return void http.emit('connection', client)
    const upstream = connect(target, '127.0.0.1')
    upstream.on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  away.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  away.cut = () => sockets.forEach((socket) => void socket.destroy())
  away.close = async () => {
    away.cut()
    await new Promise((resolve) => server.close(resolve))
  }
  return away
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
        onResumed: () => {},
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

  // A watcher was away for 20 s after its gateway was back: it paused for up to 5 s between attempts, and waited forever for a
  // peer that accepted the connection and did not answer the handshake.
  it('never stops trying while its gateway is away, however that looks, and pauses for at most a second', async () => {
    const port = Number(new URL(gateway.url).port)
    const away = await openUnavailable(port)
    const stop = new AbortController()
    const revisions: number[] = []
    const pauses: number[] = []
    let lost = 0
    const following = followChanges(
      { url: gatewayUrl(away.url), author: undefined, timeoutMs: 300 },
      {
        after: null,
        find: null,
        initial: false,
        withContent: false,
        signal: stop.signal,
        onBatch: async ({ revision }) => void revisions.push(revision),
        onLost: (_reason, waitMs) => {
          pauses.push(waitMs)
          // The next attempt meets another kind of absence. After two rounds the gateway is back.
          lost++
          away.mode = lost <= 2 * ABSENCES.length ? ABSENCES[lost % ABSENCES.length]! : 'forward'
        },
        onResumed: () => {},
      },
    )
    const patiently = { timeout: 60_000 }
    await vi.waitFor(() => expect(revisions).toEqual([0]), patiently)
    await post(
      gateway,
      'mutation { applyChangeset(input: { operations: [{ create: { id: "a:b", kind: "k" } }] }) { __typename } }',
    )
    await vi.waitFor(() => expect(revisions).toEqual([0, 1]), patiently)
    away.mode = ABSENCES[0]!
    away.cut()
    await vi.waitFor(() => expect(lost).toBeGreaterThan(2 * ABSENCES.length), patiently)
    await post(
      gateway,
      'mutation { applyChangeset(input: { operations: [{ create: { id: "a:c", kind: "k" } }] }) { __typename } }',
    )
    await vi.waitFor(() => expect(revisions.at(-1)).toBe(2), patiently)
    stop.abort()
    await following
    await away.close()
    expect([...new Set(revisions)]).toEqual([0, 1, 2])
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_000)
  })

  // A gateway that stops ends its streams normally, which looked like the end of the watch.
  it('resumes after a normal end of the stream, without losing or repeating a revision', async () => {
    const proxy = await openCompleter(gateway.endpoint)
    const stop = new AbortController()
    const seen: string[] = []
    const following = followChanges(
      { url: gatewayUrl(proxy.url), author: undefined, timeoutMs: undefined },
      {
        after: null,
        find: null,
        initial: false,
        withContent: false,
        signal: stop.signal,
        onBatch: async ({ revision, changes }) => void seen.push(`r${revision} ${changes.length}`),
        onLost: (reason) => seen.push(reason),
        onResumed: () => seen.push('resumed'),
      },
    )
    const patiently = { timeout: 60_000 }
    await vi.waitFor(() => expect(seen).toEqual(['r0 0']), patiently)
    for (const n of [1, 2]) {
      proxy.completeAll()
      await vi.waitFor(() => expect(seen.at(-1)).toBe('the gateway ended the stream'), patiently)
      await post(
        gateway,
        `mutation { applyChangeset(input: { operations: [{ create: { id: "a:${n}", kind: "k" } }] }) { __typename } }`,
      )
      await vi.waitFor(() => expect(seen.at(-1)).toBe(`r${n} 1`), patiently)
    }
    stop.abort()
    await following
    proxy.close()
    const ended = ['the gateway ended the stream', 'resumed']
    expect(seen).toEqual(['r0 0', ...ended, 'r1 1', ...ended, 'r2 1'])
  })
})
