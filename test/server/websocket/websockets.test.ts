import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { APPLY, FOLLOW, growth, SocketClient, type TestGateway, testGateway, writeLarge } from '../server-fixture.js'

describe('WebSockets', () => {
  let gateway: TestGateway
  const clients: SocketClient[] = []
  const client = (...args: [string[]?, WebSocket.ClientOptions?]) => {
    const made = new SocketClient(gateway.endpoint, ...args)
    clients.push(made)
    return made
  }
  beforeAll(async () => {
    gateway = await testGateway({ socketLimits: { initSeconds: 0.5, operations: 20 } })
  })
  afterAll(async () => {
    for (const { socket } of clients) socket.terminate()
    expect(gateway.logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
    await gateway.close()
  })

  it('execute queries, mutations and subscriptions with the author of connection_init', async () => {
    const socket = await client().init({ author: 'zoë' })
    socket.subscribe('1', '{ currentVersion { number } }')
    expect(await socket.next()).toMatchObject({
      id: '1',
      type: 'next',
      payload: { data: { currentVersion: { number: expect.any(Number) as number } } },
    })
    expect(await socket.next()).toEqual({ id: '1', type: 'complete' })
    socket.subscribe('2', FOLLOW)
    expect((await socket.next()).payload.data.changes).toMatchObject({ synced: true, changes: [] })
    socket.subscribe('3', APPLY, { input: { operations: [{ create: { id: 'ws:1', kind: 'k' } }] } })
    const seen = [await socket.next(), await socket.next(), await socket.next()]
    expect(seen.find(({ id, type }) => id === '3' && type === 'next').payload.data.applyChangeset.version.author).toBe(
      'zoë',
    )
    expect(seen.find(({ id }) => id === '2').payload.data.changes.changes).toEqual([
      { kind: 'CREATE', entryId: 'ws:1' },
    ])
  })

  it('end a completed subscription, whose id may be reused', async () => {
    const socket = await client().init()
    for (let round = 0; round < 3; round++) {
      socket.subscribe('s', FOLLOW)
      await socket.next(({ type }) => type === 'next')
      socket.send({ id: 's', type: 'complete' })
      await sleep(20)
    }
    socket.send({ type: 'ping', payload: { n: 1 } })
    expect(await socket.next(({ type }) => type === 'pong')).toEqual({ type: 'pong', payload: { n: 1 } })
  })

  it('report errors of documents, limits and cursors with their codes', async () => {
    const socket = await client().init()
    for (const [query, variables, code] of [
      ['{ nothing }', {}, 'GRAPHQL_VALIDATION_FAILED'],
      ['{ a', {}, 'GRAPHQL_PARSE_FAILED'],
      ['{ a '.repeat(20_000) + '}'.repeat(20_000), {}, 'QUERY_TOO_COMPLEX'],
      [FOLLOW, { after: 'nonsense' }, 'INVALID_CURSOR'],
    ] as const) {
      socket.subscribe('e', query, variables)
      const { type, payload } = await socket.next(({ id }) => id === 'e')
      expect([type, payload[0].extensions.code]).toEqual(['error', code])
    }
  })

  it("report a field's error beside the data", async () => {
    const socket = await client().init()
    socket.subscribe('f', '{ version(number: 1) { number } entries(first: -1) { totalCount } }')
    expect((await socket.next()).payload.errors[0].extensions.code).toBe('BAD_USER_INPUT')
  })

  it.each([
    ['text that is no JSON', 'garbage'],
    ['JSON that is no message', '{"type": 7}'],
    ["a message of the server's", '{"type":"connection_ack"}'],
    ['bytes', Buffer.from([0, 255, 1, 2])],
    ['a subscribe without a query', '{"id":"1","type":"subscribe","payload":{}}'],
  ])('closes with 4400 on %s', async (_name, garbage) => {
    const socket = await client().init()
    socket.socket.send(garbage)
    expect((await socket.closed).code).toBe(4400)
  })

  it('close on text that is not UTF-8 and on broken frames', async () => {
    const invalid = await client().init()
    invalid.socket.send(Buffer.from([0x22, 0xc3, 0x28]), { binary: false })
    expect((await invalid.closed).code).toBe(1007)
    const raw = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    raw.on('error', () => undefined)
    raw.write(
      'GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    )
    await once(raw, 'data')
    const closed = once(raw, 'close')
    raw.write(Buffer.alloc(64, 0xff))
    raw.resume()
    await closed
  })

  it('close with 4408 without init, 4401 if subscribe comes first, 4429 on a second init, 4406 without the protocol', async () => {
    const silent = await client().open()
    expect((await silent.closed).code).toBe(4408)
    const early = await client().open()
    early.subscribe('1', '{ __typename }')
    expect((await early.closed).code).toBe(4401)
    const twice = await client().init()
    twice.send({ type: 'connection_init' })
    expect((await twice.closed).code).toBe(4429)
    expect((await (await client([]).open()).closed).code).toBe(4406)
  })

  // When a thousand clients reconnected at once, the gateway was busy for seconds. It then closed sockets whose messages it had not read yet.
  it('accept a timely connection_init that the busy thread reads late', async () => {
    const late = await client().open()
    late.send({ type: 'connection_init' })
    for (const until = performance.now() + 800; performance.now() < until; );
    expect((await late.next()).type).toBe('connection_ack')
  })

  it('refuse an author that cannot be stored', async () => {
    for (const author of [7, 'a\u0000b', 'x'.repeat(300)]) {
      const socket = await client().open()
      socket.send({ type: 'connection_init', payload: { author } })
      expect((await socket.closed).code).toBe(4400)
    }
  })

  it('disconnect a client that sends 50 MiB before connection_init, without buffering them', async () => {
    const socket = await client().open()
    const before = process.memoryUsage().rss
    let most = 0
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before)
    }, 5)
    const megabyte = Buffer.alloc(1024 * 1024, 0x20)
    const sending = (async () => {
      for (let i = 0; i < 50 && socket.socket.readyState === WebSocket.OPEN; i++) {
        await new Promise<void>((resolve) =>
          socket.socket.send(megabyte, { fin: i === 49, binary: false }, () => resolve()),
        )
      }
    })()
    const { code } = await socket.closed
    await sending
    clearInterval(watching)
    expect([1009, 1006]).toContain(code)
    expect(most).toBeLessThan(40 * 1024 * 1024)
  })

  it('limit the operations in flight on one socket', async () => {
    const socket = await client().init()
    for (let i = 0; i < 25; i++) socket.subscribe(`s${i}`, FOLLOW)
    const errors: any[] = []
    for (let i = 0; i < 25; i++) {
      const message = await socket.next()
      if (message.type === 'error') errors.push(message.payload[0].extensions.code)
    }
    expect(errors).toEqual(Array(5).fill('UNAVAILABLE'))
  })

  // Regression: an operation kept its slot until it had ended, which is after the next message was handled.
  it('free the slot of an operation with its `complete`, for an operation that follows at once', async () => {
    const socket = await client().init()
    for (let i = 0; i < 20; i++) socket.subscribe(`first ${i}`, FOLLOW)
    for (let i = 0; i < 20; i++) expect((await socket.next()).type).toBe('next')
    // All at once, so that many arrive in one read. Every other one reuses the id.
    let ids = Array.from({ length: 20 }, (_, i) => `first ${i}`)
    for (let round = 0; round < 5; round++) {
      ids = ids.map((id, i) => {
        socket.send({ id, type: 'complete' })
        const next = i % 2 === 0 ? id : `${round} ${i}`
        socket.subscribe(next, FOLLOW)
        return next
      })
    }
    socket.subscribe('one too many', '{ currentVersion { number } }')
    const messages: any[] = []
    await socket.next((message) => {
      messages.push(message)
      return message.id === 'one too many'
    })
    const errors = messages.filter(({ type }) => type === 'error')
    expect(errors.map(({ id }) => id)).toEqual(['one too many'])
    expect(errors[0].payload[0].extensions.code).toBe('UNAVAILABLE')
  })

  it('take little memory for a client that stops reading, and lose nothing when it continues', async () => {
    const stored = await growth(async () => {
      await writeLarge(gateway, 'before', 75)
    })
    const slow = await client().init()
    slow.subscribe('slow', 'subscription { changes { revision changes { entry { data } } } }')
    await slow.next()
    slow.socket.pause()
    let revisions: number[] = []
    const withReader = await growth(async () => {
      revisions = await writeLarge(gateway, 'slow', 75)
    })
    // 15 MB wait for it. They are in the log, except for a page of 4 MiB and a message.
    expect(withReader - stored).toBeLessThan(8 * 1024 * 1024)
    slow.socket.resume()
    for (const revision of revisions) {
      expect((await slow.next()).payload.data.changes.revision).toBe(revision)
    }
  })

  it('refuse other paths and pages of other origins', async () => {
    const elsewhere = new SocketClient(gateway.endpoint.replace('/graphql', '/else'))
    await expect(elsewhere.open()).rejects.toThrow('404')
    await expect(client(undefined, { headers: { origin: 'https://elsewhere.example' } }).open()).rejects.toThrow('403')
    await client(undefined, { headers: { origin: 'http://127.0.0.1:9999' } }).init()
  })
})
