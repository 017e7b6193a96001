import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStream } from '../gateway/following-stream.js'
import { createEntries, post } from '../server/server-fixture.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from './gateway-process.js'

const ACQUIRE =
  'mutation ($input: AcquireInstanceInput!) { acquireInstance(input: $input) { id acquiredAt expiresAt fencingToken } }'
const RENEW = 'mutation ($id: ID!) { renewInstance(id: $id) { id expiresAt } }'
const FOLLOW = 'subscription ($entry: EntryID!) { instances(entry: $entry) { changes { kind instance { id name } } } }'

interface Acquired {
  readonly id: string
  readonly fencingToken: number
  readonly acquiredAt: string
  readonly expiresAt: string
}

/** Environment of a gateway whose clock is wrong. */
const withClockOff = (hours: number) => ({
  NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(`
    const RealDate = Date, off = ${hours} * 3600e3
    globalThis.Date = class extends RealDate {
      constructor(...args) { args.length === 0 ? super(RealDate.now() + off) : super(...args) }
      static now() { return RealDate.now() + off }
    }`)}"`,
})

describe('instances on gateways in separate processes', () => {
  let database: TestDatabase
  let processes: GatewayProcesses
  let sql: postgres.Sql
  const start = (more: Record<string, string> = {}) =>
    processes.start({ CADASTRE_STORE: 'postgres', DATABASE_URL: database.url, ...more })
  beforeAll(async () => {
    ;[database, processes] = await Promise.all([createTestDatabase(), gatewayProcesses()])
    sql = postgres(database.url, { max: 1 })
  })
  afterAll(async () => {
    await processes.remove()
    await sql.end()
    await database.drop()
  })

  const acquire = async (
    gateway: GatewayProcess,
    entry: string,
    name: string,
    ttlSeconds: number,
  ): Promise<Acquired | string> => {
    const { body } = await post(gateway, ACQUIRE, { input: { entry, name, ttlSeconds } })
    return (body.data?.['acquireInstance'] as Acquired | undefined) ?? String(body.errors?.[0]?.extensions['code'])
  }
  const renew = async (gateway: GatewayProcess, id: string): Promise<string> => {
    const { body } = await post(gateway, RENEW, { id })
    return body.errors === undefined ? 'renewed' : String(body.errors[0]!.extensions['code'])
  }

  it('of one name are never held twice, and no token repeats, although gateways are paused', async () => {
    const gateways = await Promise.all([start(), start(), start()])
    await createEntries(gateways[0]!, { 'stop:1': 1 })
    const seen: Acquired[] = []
    const isOver = () => seen.length >= 7
    const pausing = (async () => {
      while (!isOver()) {
        const { child } = gateways[Math.floor(Math.random() * gateways.length)]!
        child.kill('SIGSTOP')
        await sleep(300 + Math.random() * 1_500)
        child.kill('SIGCONT')
        await sleep(Math.random() * 200)
      }
    })()
    const taking = gateways.flatMap((gateway) =>
      Array.from({ length: 4 }, async () => {
        while (!isOver()) {
          const held = await acquire(gateway, 'stop:1', 'leader', 1)
          if (typeof held === 'string') {
            expect(held).toBe('INSTANCE_EXISTS')
            await sleep(20)
            continue
          }
          seen.push(held)
          // Some renew once, some too late, some never.
          await sleep(Math.random() * 1_500)
          if (Math.random() < 0.5) expect(['renewed', 'INSTANCE_EXPIRED']).toContain(await renew(gateway, held.id))
        }
      }),
    )
    await Promise.all([pausing, ...taking])
    for (const { child } of gateways) child.kill('SIGCONT')
    const inOrder = [...seen].sort((a, b) => a.fencingToken - b.fencingToken)
    expect(new Set(inOrder.map(({ fencingToken }) => fencingToken)).size).toBe(inOrder.length)
    // By the clock of the database, each began after the previous one had expired.
    for (const [i, { acquiredAt }] of inOrder.entries())
      if (i > 0) expect(acquiredAt >= inOrder[i - 1]!.expiresAt).toBe(true)
    for (const { child, exited } of gateways) {
      child.kill('SIGTERM')
      expect(await exited).toBe(0)
    }
  })

  it('that others acquired while their gateway was paused are lost when it continues', async () => {
    const [a, b] = await Promise.all([start(), start()])
    await createEntries(a, { 'stop:2': 1 })
    const first = (await acquire(a, 'stop:2', 'leader', 1)) as Acquired
    a.child.kill('SIGSTOP')
    await sleep(1_100)
    const second = (await acquire(b, 'stop:2', 'leader', 60)) as Acquired
    expect(second.fencingToken).toBeGreaterThan(first.fencingToken)
    a.child.kill('SIGCONT')
    expect(await renew(a, first.id)).toBe('INSTANCE_EXPIRED')
    expect(await acquire(a, 'stop:2', 'leader', 60)).toBe('INSTANCE_EXISTS')
    expect(await renew(a, second.id)).toBe('renewed')
    a.child.kill('SIGKILL')
    b.child.kill('SIGKILL')
  })

  it('follow the clock of the database, not those of the gateways', async () => {
    const [behind, ahead] = await Promise.all([start(withClockOff(-5)), start(withClockOff(7))])
    await createEntries(behind, { 'clock:1': 1 })
    const stream = openStream('ws', ahead.endpoint, FOLLOW, { entry: 'clock:1' })
    await stream.next()
    const clock = async () => (await sql<[{ now: Date }]>`SELECT clock_timestamp() AS now`)[0].now.getTime()
    const before = await clock()
    const held = (await acquire(behind, 'clock:1', 'one', 2)) as Acquired
    const after = await clock()
    expect(Date.parse(held.expiresAt) - Date.parse(held.acquiredAt)).toBe(2_000)
    // The time of an instance has milliseconds.
    expect(Date.parse(held.acquiredAt)).toBeGreaterThanOrEqual(before - 1)
    expect(Date.parse(held.acquiredAt)).toBeLessThanOrEqual(after)
    expect((await stream.next())?.data.instances.changes).toMatchObject([{ kind: 'ACQUIRED' }])
    expect(await acquire(ahead, 'clock:1', 'one', 2)).toBe('INSTANCE_EXISTS')
    expect((await stream.next())?.data.instances.changes).toMatchObject([{ kind: 'EXPIRED' }])
    expect(await clock()).toBeGreaterThanOrEqual(Date.parse(held.expiresAt))
    expect(((await acquire(ahead, 'clock:1', 'one', 2)) as Acquired).fencingToken).toBe(held.fencingToken + 1)
    stream.cut()
    behind.child.kill('SIGKILL')
    ahead.child.kill('SIGKILL')
  })

  it('outlive the gateway that acquired them, expire, and are removed by another', async () => {
    const [killed, other] = await Promise.all([start(), start()])
    await createEntries(killed, { 'kill:1': 1 })
    const held = (await acquire(killed, 'kill:1', 'long', 60)) as Acquired
    await acquire(killed, 'kill:1', 'short', 2)
    const stream = openStream('sse', other.endpoint, FOLLOW, { entry: 'kill:1' })
    expect((await stream.next())?.data.instances.changes).toHaveLength(2)
    killed.child.kill('SIGKILL')
    expect((await stream.next())?.data.instances.changes).toMatchObject([
      { kind: 'EXPIRED', instance: { name: 'short' } },
    ])
    const restarted = await start()
    expect(await renew(restarted, held.id)).toBe('renewed')
    const rows = async () =>
      (await sql<{ n: number }[]>`SELECT count(*)::int AS n FROM instance WHERE name = '1' AND ns = 'kill'`)[0]!.n
    await expect.poll(rows, { timeout: 60_000 }).toBe(1)
    stream.cut()
    other.child.kill('SIGKILL')
    restarted.child.kill('SIGKILL')
  })
})
