import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from '../process/gateway-process.js'
import { SocketClient } from '../server/server-fixture.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { CHANGES } from './following-client.js'
import { batchOf, create, metric, residentBytes, until, write } from './following-fixture.js'
import { type OpenStream, openStream, TRANSPORTS } from './following-stream.js'

const MIB = 1024 * 1024
const FULL =
  'subscription ($after: String, $initial: Boolean) { changes(after: $after, initial: $initial) { revision complete synced changes { entry { data } } } }'

describe('the cost of subscriptions', () => {
  let database: TestDatabase
  let processes: GatewayProcesses
  let gateway: GatewayProcess
  beforeAll(async () => {
    ;[database, processes] = await Promise.all([createTestDatabase(), gatewayProcesses()])
    gateway = await processes.start({ CADASTRE_STORE: 'postgres', DATABASE_URL: database.url })
  })
  afterAll(async () => {
    await processes.remove()
    await database.drop()
  })
  const subscriptions = () => metric(gateway.url, 'cadastre_subscriptions')
  const opened: OpenStream[] = []
  const open: typeof openStream = (...which) => {
    const stream = openStream(...which)
    opened.push(stream)
    return stream
  }
  // Streams of a failed test would be counted by the following tests.
  afterEach(() => opened.splice(0).forEach((stream) => stream.cut()))

  it('sends no statement to the database for idle subscriptions', async () => {
    await write(gateway.endpoint, create('idle:1'))
    const streams = Array.from({ length: 50 }, (_, i) =>
      open(
        TRANSPORTS[i % 2]!,
        gateway.endpoint,
        i % 5 === 0 ? 'subscription { entry(id: "idle:1") { kind } }' : CHANGES,
        i % 3 === 0 ? { find: { '.ns': 'idle' } } : {},
      ),
    )
    for (const stream of streams) expect((await stream.next())?.errors).toBeUndefined()
    const sql = postgres(inject('postgresUrl'), { max: 1 })
    // The transaction counts of the database would include its own work, such as a dozen for autovacuum.
    const running = () => sql<
      { pid: number; query: string; query_start: Date }[]
    >`SELECT pid, query, query_start FROM pg_stat_activity
      WHERE datname = ${new URL(database.url).pathname.slice(1)} AND backend_type = 'client backend'`
    const known = new Set<string>()
    const newStatements = async () =>
      (await running()).flatMap(({ pid, query, query_start }) => {
        const key = `${pid} ${query_start.toISOString()}`
        if (known.has(key)) return []
        known.add(key)
        return [query]
      })
    let quiet = 0
    await until('the start has settled', async () => {
      await sleep(250)
      quiet = (await newStatements()).length === 0 ? quiet + 1 : 0
      return quiet === 8
    })
    const statements: string[] = []
    const begun = performance.now()
    for (let sample = 0; sample < 30; sample++) {
      await sleep(250)
      statements.push(...(await newStatements()))
    }
    const periods = Math.ceil((performance.now() - begun) / 20_000)
    await sql.end()
    for (const stream of streams) stream.cut()
    // The periodic check for abandoned transactions may fall into this time, and the last statement of a connection.
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(4 * periods)
    await until('all subscriptions have ended', async () => (await subscriptions()) === 0)
  }, 300_000)

  it('releases 1,000 subscriptions that came and went', async () => {
    const socket = await new SocketClient(gateway.endpoint).init()
    const cycles = async (from: number) => {
      for (let i = from; i < from + 250; i++) {
        socket.subscribe(`c${i}`, CHANGES, i % 2 === 0 ? {} : { initial: true })
        await socket.next(({ id, type }) => id === `c${i}` && type === 'next')
        socket.send({ id: `c${i}`, type: 'complete' })
      }
      await until('all subscriptions have ended', async () => (await subscriptions()) === 0)
    }
    for (let round = 0; round < 4; round++) await cycles(round * 250)
    socket.close()
  }, 300_000)

  // Regression: a client that subscribed again with the same id got `complete` for the new subscription. That one then
  // continued forever beside the next ones, so that every change was sent several times.
  it('accepts an id again right after its `complete`', async () => {
    const socket = await new SocketClient(gateway.endpoint).init()
    for (let round = 0; round < 30; round++) {
      socket.subscribe('s', round % 5 === 4 ? '{ currentVersion { number } }' : CHANGES)
      if (round % 3 > 0) await socket.next(({ type }) => type === 'next')
      if (round % 3 > 1) await sleep(5)
      socket.send({ id: 's', type: 'complete' })
    }
    socket.subscribe('s', CHANGES)
    await until('one subscription is left', async () => (await subscriptions()) === 1)
    const isOf =
      ({ revision }: { revision: number }) =>
      ({ payload }: any) =>
        payload?.data?.changes?.revision === revision
    const written = []
    for (let i = 0; i < 4; i++) written.push(await write(gateway.endpoint, create(`again:${i}`)))
    const [first, ...others] = written
    await socket.next(isOf(first!))
    // A second subscription would send each revision before the last one twice.
    for (const { revision } of others)
      expect(await socket.next(() => true)).toMatchObject({
        id: 's',
        type: 'next',
        payload: { data: { changes: { revision } } },
      })
    socket.send({ id: 's', type: 'complete' })
    await until('no subscription is left', async () => (await subscriptions()) === 0)
    socket.close()
  })

  it('buffers little for readers that pause while 135 MB are written, and they resume without a gap', async () => {
    const data = 'x'.repeat(900_000)
    const fast = open('ws', gateway.endpoint, CHANGES)
    await batchOf(fast)
    const most = async (ns: string, count: number, taken: (revision: number) => void) => {
      const before = residentBytes(gateway.child.pid!)
      let grown = 0
      for (let i = 0; i < count; i++) {
        const { revision } = await write(gateway.endpoint, create(`${ns}:${i}`, {}, data))
        expect((await batchOf(fast)).revision).toBe(revision)
        taken(revision)
        grown = Math.max(grown, residentBytes(gateway.child.pid!) - before)
      }
      return grown
    }
    await most('warm', 30, () => undefined)
    const slow = TRANSPORTS.map((transport) => open(transport, gateway.endpoint, FULL))
    for (const stream of slow) {
      await batchOf(stream)
      stream.pause()
    }
    const revisions: number[] = []
    let read = Date.now()
    const taken = (revision: number) => {
      revisions.push(revision)
      // A client that accepts nothing for 30 s is disconnected, and the writes may take longer on a busy machine.
      if (Date.now() - read < 5_000) return
      read = Date.now()
      for (const stream of slow) stream.resume()
      setTimeout(() => {
        for (const stream of slow) stream.pause()
      }, 100)
    }
    // Buffering for each reader would need more than 270 MB. Uncollected garbage was up to 129 MB.
    expect(await most('slow', 150, taken)).toBeLessThan(200 * MIB)
    for (const stream of slow) {
      stream.resume()
      for (const revision of revisions) expect((await batchOf(stream)).revision).toBe(revision)
      stream.cut()
    }
    fast.cut()
  }, 300_000)

  // Regression: a log page was limited in changes and not in bytes. Each lagging subscription held up to 64 MB, and a
  // hundred of them crashed the gateway.
  it('holds at most 10 MB for each of 60 subscriptions that lag behind on large entries and do not read', async () => {
    const first = open('ws', gateway.endpoint, CHANGES)
    const { cursor } = await batchOf(first)
    first.cut()
    for (let i = 0; i < 40; i++) await write(gateway.endpoint, create(`far:${i}`, {}, 'x'.repeat(1_000_000)))
    const before = residentBytes(gateway.child.pid!)
    const stuck = Array.from({ length: 60 }, (_, i) =>
      open(TRANSPORTS[i % 2]!, gateway.endpoint, FULL, { after: cursor }),
    )
    await Promise.all(stuck.map((stream) => stream.next(200_000).then(() => stream.pause())))
    expect(await subscriptions()).toBe(60)
    let most = 0
    for (let i = 0; i < 20; i++) {
      await sleep(200)
      most = Math.max(most, residentBytes(gateway.child.pid!) - before)
    }
    expect(most).toBeLessThan(60 * 10 * MIB)
    for (const stream of stuck) stream.cut()
    await until('all subscriptions have ended', async () => (await subscriptions()) === 0)
  }, 300_000)

  it('survives 5,000 sockets that open and close, some of them during the handshake', async () => {
    const { port } = new URL(gateway.url)
    for (let wave = 0; wave < 20; wave++) {
      await Promise.all(
        Array.from({ length: 250 }, async (_, i) => {
          const socket = connect(Number(port), '127.0.0.1')
          socket.on('error', () => undefined)
          await once(socket, 'connect')
          if (i % 3 > 0) socket.write(UPGRADE.slice(0, i % 3 === 1 ? 60 : undefined))
          if (i % 3 === 2) {
            await once(socket, 'data')
            socket.write(Buffer.from([0x81, 0x85, 1, 2]))
          }
          socket.destroy()
        }),
      )
    }
    await until('all sockets are closed', async () => (await metric(gateway.url, 'cadastre_websockets')) === 0)
    await write(gateway.endpoint, create('after-sockets:1'))
  }, 300_000)

  it('on SIGTERM closes WebSockets with 1012, ends event streams and exits with 0, even if clients do not read', async () => {
    const reading = TRANSPORTS.flatMap((transport) =>
      Array.from({ length: 20 }, () => open(transport, gateway.endpoint, CHANGES)),
    )
    for (const stream of reading) await batchOf(stream)
    const stopped = TRANSPORTS.map((transport) => open(transport, gateway.endpoint, FULL, { initial: true }))
    for (const stream of stopped) {
      await batchOf(stream)
      stream.pause()
    }
    gateway.child.kill('SIGTERM')
    const codes = await Promise.all(reading.map(({ closed }) => closed))
    expect(new Set(codes)).toEqual(new Set([1012, 0]))
    expect(await gateway.exited).toBe(0)
    expect(gateway.said.err).not.toMatch(/"level":[56]0|not everything ended|Warning/)
    for (const stream of [...reading, ...stopped]) stream.cut()
  }, 300_000)
})

const UPGRADE =
  'GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n'
