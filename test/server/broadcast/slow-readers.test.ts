import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { sendResults } from '../../../src/server/streams/send-results.js'
import { SERVER_SENT_EVENTS } from '../../../src/server/streams/stream-formats.js'
import { APPLY, post, SocketClient, testGateway } from '../server-fixture.js'

const MIB = 1024 * 1024

/** Reads at a limited rate until it has enough or the connection ends. */
async function trickle(socket: Socket, bytesPerSecond: number, enough: number): Promise<number> {
  let taken = 0
  let open = true
  socket.on('close', () => {
    open = false
  })
  socket.on('error', () => undefined)
  socket.pause()
  while (open && taken < enough) {
    for (let left = bytesPerSecond / 50; left > 0; ) {
      const chunk = socket.read(Math.min(left, socket.readableLength || 1)) as Buffer | null
      if (chunk === null) break
      taken += chunk.length
      left -= chunk.length
    }
    await sleep(20)
  }
  return taken
}

describe('a slow client', () => {
  // A batch of 12 MB at 4 MB/s. A client that had not accepted a whole message between two pings used to be disconnected.
  // It resumed by its cursor, requested the same message, and was disconnected again, forever.
  it('receives a whole long WebSocket message in spite of pings', async () => {
    const gateway = await testGateway({ socketLimits: { pingSeconds: 0.1 } })
    const content = { id: 'slow:1', kind: 'k', data: 'x'.repeat(MIB - 100) }
    await post(gateway, APPLY, { input: { operations: [{ create: { ...content, data: null } }] } })
    const client = await new SocketClient(gateway.endpoint).init()
    client.subscribe(
      's',
      `subscription { changes { changes { ${[...'abcdefghijkl'].map((alias) => `${alias}: entry { data }`).join(' ')} } } }`,
    )
    await client.next()
    const raw = (client.socket as unknown as { _socket: Socket })._socket
    raw.on('data', () => {
      client.socket.pause()
      setTimeout(() => client.socket.resume(), 16)
    })
    expect(
      (await post(gateway, APPLY, { input: { operations: [{ update: content }] } })).body.data!['applyChangeset']
        .__typename,
    ).toBe('Applied')
    const { payload } = await client.next()
    expect(payload.data.changes.changes[0].l.data).toBe(content.data)
    client.close()
    await gateway.close()
  })

  it('is disconnected from its WebSocket if it takes nothing', async () => {
    const gateway = await testGateway({ connectionLimits: { checkMs: 50, writeMs: 500 } })
    const client = await new SocketClient(gateway.endpoint).init()
    client.socket.pause()
    for (let i = 0; i < 200; i++)
      client.subscribe(
        `s${i}`,
        '{ __schema { types { name description fields { name description args { name description } } } } }',
      )
    const metrics = async () =>
      /cadastre_websockets (\d+)/.exec(await (await fetch(`${gateway.url}metrics`)).text())?.[1]
    await expect.poll(metrics, { timeout: 60_000 }).toBe('0')
    await gateway.close()
  })

  it('receives a whole long event', async () => {
    const event = JSON.stringify({ data: { text: 'x'.repeat(16 * MIB) } })
    const server = createServer((_request, response: ServerResponse) => {
      void sendResults(response, SERVER_SENT_EVENTS, event, (error) => error as never, new AbortController().signal)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const slow = connect((server.address() as AddressInfo).port, '127.0.0.1')
    slow.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    expect(await trickle(slow, 6 * MIB, 16 * MIB)).toBeGreaterThanOrEqual(16 * MIB)
    slow.destroy()
    server.close()
  })
})
