import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, type TestGateway, testGateway } from '../server-fixture.js'
import { announcing, frame, HEAD, QUERY, RawClient, rawWebSocket } from './raw-client.js'

const MIB = 1024 * 1024
const OPERATION = '{ entry(id: "none:1") { id } }'

/** Sends everything but the last byte. */
async function unfinished(gateway: TestGateway, bytes: number): Promise<RawClient> {
  return new RawClient(gateway).send(announcing(bytes), Buffer.alloc(bytes - 1, 0x20))
}

/** A body that arrives in two parts, which therefore needs memory before it is complete. */
async function inTwoParts(gateway: TestGateway): Promise<number | null> {
  const client = await new RawClient(gateway).send(announcing(QUERY.length), QUERY.slice(0, 9))
  await new Promise(setImmediate)
  await client.send(QUERY.slice(9))
  await expect.poll(() => client.status).not.toBeNull()
  client.destroy()
  return client.status
}

describe('clients that send slowly', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway(
      { connectionLimits: { checkMs: 50, lagMs: 500, smallTotalBytes: MIB, headersMs: 400, bodyMs: 60_000 } },
      { limits: { entryBytes: MIB, changesetOperations: 100, changesetBytes: MIB } },
    )
  })
  afterAll(async () => {
    expect(gateway.logged.filter(({ level }) => (level as number) >= 40)).toEqual([])
    await gateway.close()
  })

  // Four bodies that lacked one byte each refused every other request for 80 seconds.
  it('refuse no small body of others, however large theirs are', async () => {
    const large = await Promise.all([1, 2, 3, 4].map(() => unfinished(gateway, 3 * MIB)))
    expect((await post(gateway, OPERATION)).status).toBe(200)
    expect(await inTwoParts(gateway)).toBe(200)
    expect((await post(gateway, OPERATION, { x: ' '.repeat(200_000) })).status).toBe(200)
    for (const client of large) client.destroy()
  })

  it('make room for large bodies of others', async () => {
    const large = await Promise.all([1, 2, 3, 4, 5].map(() => unfinished(gateway, 3 * MIB)))
    await expect
      .poll(async () => (await post(gateway, OPERATION, { x: ' '.repeat(MIB) })).status, { timeout: 20_000 })
      .toBe(200)
    for (const client of large) client.destroy()
  })

  it('make room for small bodies of others, if many send small ones', async () => {
    const small = await Promise.all(Array.from({ length: 24 }, () => unfinished(gateway, 60_000)))
    await expect.poll(() => inTwoParts(gateway), { timeout: 20_000 }).toBe(200)
    expect((await post(gateway, OPERATION)).status).toBe(200)
    for (const client of small) client.destroy()
  })

  it.each<[string, () => Promise<RawClient>]>([
    ['a body without its last byte', () => unfinished(gateway, 300_000)],
    ['headers without their body', () => new RawClient(gateway).send(announcing(QUERY.length))],
    ['a small body that stops', () => new RawClient(gateway).send(announcing(QUERY.length), QUERY.slice(0, 5))],
    [
      'chunks that stop',
      () => new RawClient(gateway).send(`${HEAD}transfer-encoding: chunked\r\n\r\n`, '5\r\n{"que\r\n'),
    ],
    ['no chunk at all', () => new RawClient(gateway).send(`${HEAD}transfer-encoding: chunked\r\n\r\n`)],
    [
      'a request behind a complete one',
      () => new RawClient(gateway).send(`${announcing(QUERY.length)}${QUERY}`, announcing(QUERY.length), '{'),
    ],
  ])('are cut off with 408 and the reason: %s', async (_name, begin) => {
    const client = await begin()
    await client.closed
    expect(client.received).toMatch(/HTTP\/1\.1 408 [\s\S]*"code":"TIMEOUT"/)
    expect(client.received).toContain('arrives too slowly')
  })

  // Each byte counted as progress.
  it('are cut off if they send a byte at a time', async () => {
    const client = await new RawClient(gateway).send(announcing(100_000))
    const dripping = setInterval(() => client.socket.write(' '), 20)
    await client.closed
    clearInterval(dripping)
    expect(client.status).toBe(408)
  })

  it('are cut off if their headers do not end', async () => {
    for (const begun of ['', 'GET /graphql HTTP/1.1\r\nhost: localhost\r\n']) {
      const client = new RawClient(gateway)
      await client.send(begun)
      await client.closed
      expect(client.received).toMatch(/^HTTP\/1\.1 408 [\s\S]*did not arrive in time/)
    }
  })

  it('are closed after a refusal even if they keep their side open', async () => {
    const strict = await testGateway({ connectionLimits: { checkMs: 50, writeMs: 300 } })
    const client = await new RawClient(strict, true).send('nonsense\r\n\r\n')
    // Writing fails as soon as the gateway has closed its side.
    const writing = setInterval(() => client.socket.write(' '), 50)
    await client.closed
    clearInterval(writing)
    expect(client.received).toMatch(/^HTTP\/1\.1 400 [\s\S]*not valid HTTP/)
    await strict.close()
  })
})

describe('a body that is announced with Expect: 100-continue', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway()
  })
  afterAll(() => gateway.close())

  it('is asked for when it is read', async () => {
    const client = await new RawClient(gateway).send(
      `${HEAD}expect: 100-continue\r\ncontent-length: ${QUERY.length}\r\n\r\n`,
    )
    await expect.poll(() => client.received).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    await client.send(QUERY)
    await expect.poll(() => client.status).toBe(200)
    client.destroy()
  })

  it('is not asked for if it is too large, or not JSON', async () => {
    const large = await new RawClient(gateway).send(`${HEAD}expect: 100-continue\r\ncontent-length: 999999999\r\n\r\n`)
    await large.closed
    expect(large.received).toMatch(/^HTTP\/1\.1 413 /)
    const zipped = await new RawClient(gateway).send(
      `${HEAD}content-encoding: gzip\r\nexpect: 100-continue\r\ncontent-length: 99\r\n\r\n`,
    )
    await zipped.closed
    expect(zipped.received).toMatch(/^HTTP\/1\.1 415 [\s\S]*not compressed/)
  })
})

describe('unfinished WebSocket messages', () => {
  const PART = Buffer.alloc(200_000, 0x20)
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway(
      { connectionLimits: { checkMs: 50, lagMs: 500, smallTotalBytes: MIB } },
      { limits: { entryBytes: MIB, changesetOperations: 100, changesetBytes: MIB } },
    )
  })
  afterAll(() => gateway.close())

  // Four sockets with 50 MiB of a message each were kept for 160 seconds.
  it.each<[string, Buffer[]]>([
    ['fragments', [frame(PART, { isLast: false }), frame(PART, { opcode: 0, isLast: false })]],
    ['a part of a frame', [frame(PART, { announced: 2 * PART.length })]],
    ['the beginning of a header', [frame(PART).subarray(0, 3)]],
    ['an empty fragment', [frame('', { isLast: false })]],
  ])('are given up if the rest does not arrive: %s', async (_name, frames) => {
    const client = await rawWebSocket(gateway)
    await client.send(...frames)
    await client.closed
    expect(client.received).toContain('arrives too slowly')
  })

  // Pings between the fragments are signs of life of the socket, and none of the message.
  it('are given up in spite of pings', async () => {
    const client = await rawWebSocket(gateway)
    await client.send(frame(PART, { isLast: false }))
    const pinging = setInterval(() => client.socket.write(frame('', { opcode: 9 })), 20)
    await client.closed
    clearInterval(pinging)
    expect(client.received).toContain('arrives too slowly')
  })

  it('leave room for those that arrive', async () => {
    const held = await Promise.all(Array.from({ length: 15 }, () => rawWebSocket(gateway)))
    for (const client of held) {
      const parts = Array.from({ length: 4 }, (_, i) => frame(PART, { opcode: i === 0 ? 1 : 0, isLast: false }))
      void client.send(...parts)
    }
    expect((await post(gateway, OPERATION)).status).toBe(200)
    await expect
      .poll(async () => (await post(gateway, OPERATION, { x: ' '.repeat(MIB) })).status, { timeout: 20_000 })
      .toBe(200)
    for (const client of held) client.destroy()
  })

  it('do not end sockets that only ping', async () => {
    const client = await rawWebSocket(gateway)
    for (let i = 0; i < 40; i++) {
      await client.send(frame('', { opcode: 9 }))
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    await client.send(frame(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: OPERATION } })))
    await expect.poll(() => client.received).toContain('{"data":{"entry":null}}')
    client.destroy()
  })
})
