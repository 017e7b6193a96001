import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BusEvent } from '../../../../src/core/events/bus-event.js'
import { type Exchange, type Recipient, RecipientsGone } from '../../../../src/store/contract/exchange.js'
import type { History } from '../../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { countStatements } from '../../../graphql/loading/count-statements.js'
import { apply, create, historyOptions } from '../../../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

const event = (n: number): BusEvent => ({
  type: 'transaction',
  system: 'registry',
  kind: 'registry.begin',
  path: 't',
  at: new Date(0),
  transaction: 't',
  operationCount: n,
  revision: null,
  error: null,
})
const never = new AbortController().signal
setMaxListeners(0, never)
const offerTo = (recipients: string[], withinMs = 60_000) => ({ id: randomUUID(), recipients, body: 'body', withinMs })

function recipient(): Recipient & { received: string[]; errors: Error[] } {
  const received: string[] = []
  const errors: Error[] = []
  return {
    received,
    errors,
    receive: (body) => {
      received.push(body)
    },
    lost: (error) => {
      errors.push(error)
    },
  }
}

const until = (holds: () => unknown) => expect.poll(holds, { interval: 20 })

describe('the exchange between gateways', () => {
  let database: TestDatabase
  const opened: History[] = []
  const open = async (databaseUrl = database.url) => {
    const history = await openPostgresHistory({ ...historyOptions, databaseUrl, backend: 'postgres', connections: 2 })
    opened.push(history)
    return history
  }
  const exchanges = async (count: number): Promise<Exchange[]> =>
    (await Promise.all(Array.from({ length: count }, () => open()))).map(({ exchange }) => exchange)

  beforeEach(async () => {
    database = await createTestDatabase()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((history) => history.close()))
    await database.drop()
  })

  it('sees the start and the end of a participation on another gateway at once', async () => {
    const [here, there] = await exchanges(2)
    for (let i = 0; i < 20; i++) {
      const leave = await there!.takePart({ name: `p${i}`, kinds: ['**'], onFailure: 'pass' }, recipient())
      expect((await here!.participations()).map(({ name }) => name)).toEqual([`p${i}`])
      await leave()
      expect(await here!.participations()).toEqual([])
    }
  })

  it('delivers 200 concurrent offers once each, and every answer to its offer', async () => {
    const [runner, holder, third] = await exchanges(3)
    const received: string[] = []
    await holder!.takePart(
      { name: 'p', kinds: ['**'], onFailure: 'refuse' },
      {
        lost: () => undefined,
        receive(body) {
          received.push(body)
          void third!.answer(body, { accept: body.endsWith('0'), reason: body })
        },
      },
    )
    const [participation] = await runner!.participations()
    const offers = Array.from({ length: 200 }, () => offerTo([participation!.id])).map((offer) => ({
      ...offer,
      body: offer.id,
    }))
    const answers = await Promise.all(offers.map((offer) => runner!.offer(offer, never)))
    expect(answers).toEqual(offers.map(({ id }) => ({ accept: id.endsWith('0'), reason: id })))
    expect(received.sort()).toEqual(offers.map(({ id }) => id).sort())
  })

  it('does not count an answer after its deadline or after the offer was aborted', async () => {
    const [runner, holder] = await exchanges(2)
    await holder!.takePart({ name: 'p', kinds: ['**'], onFailure: 'refuse' }, recipient())
    const [participation] = await runner!.participations()
    const abort = new AbortController()
    const short = offerTo([participation!.id], 100)
    const given = offerTo([participation!.id])
    const open = [runner!.offer(short, abort.signal), runner!.offer(given, abort.signal)].map((offer) =>
      offer.catch((error: unknown) => error),
    )
    await sleep(400)
    expect(await holder!.answer(short.id, { accept: true, reason: null })).toBe(false)
    abort.abort()
    await Promise.all(open)
    await sleep(300)
    expect(await holder!.answer(given.id, { accept: true, reason: null })).toBe(false)
  })

  it('fails an offer or a notice at once if its recipients have disconnected', async () => {
    const [runner] = await exchanges(1)
    await expect(runner!.offer(offerTo([randomUUID()]), never)).rejects.toThrow(RecipientsGone)
    await expect(runner!.notify({ recipients: [randomUUID()], body: '' })).rejects.toThrow(RecipientsGone)
  })

  it('fails open offers when the gateway of the participant dies', async () => {
    const [runner, holder] = await exchanges(2)
    await holder!.takePart({ name: 'p', kinds: ['**'], onFailure: 'refuse' }, recipient())
    const [participation] = await runner!.participations()
    const admin = postgres(database.url, { max: 1 })
    // A killed gateway does nothing: its lease ends and is not renewed.
    const offered = runner!.offer(offerTo([participation!.id]), never).catch((error: Error) => error)
    await sleep(200)
    await admin`UPDATE gateway SET lease_until = clock_timestamp() - interval '1 minute' WHERE id IN (SELECT gateway FROM participation)`
    await admin`DELETE FROM gateway WHERE lease_until < clock_timestamp()`
    expect(await offered).toBeInstanceOf(RecipientsGone)
    await admin.end()
  })

  it('notifies a client that its participation has ended if its gateway was considered dead', async () => {
    const [holder] = await exchanges(1)
    const taken = recipient()
    await holder!.takePart({ name: 'p', kinds: ['**'], onFailure: 'refuse' }, taken)
    const admin = postgres(database.url, { max: 1 })
    await admin`DELETE FROM gateway`
    await admin.end()
    await until(() => taken.errors.length).toBe(1)
    expect(taken.errors[0]).toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('delivers every message although no notification arrives', async () => {
    const [runner, holder] = await exchanges(2)
    const taken = recipient()
    await holder!.takePart({ name: 'p', kinds: ['**'], onFailure: 'refuse' }, taken)
    const [participation] = await runner!.participations()
    const admin = postgres(database.url, { max: 1 })
    let cutting = true
    const cutter = (async () => {
      while (cutting) {
        await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cadastre listener' AND datname = current_database()`
        await sleep(5)
      }
    })()
    try {
      for (let i = 0; i < 5; i++) {
        const offer = { ...offerTo([participation!.id]), body: `b${i}` }
        const offered = runner!.offer(offer, never)
        await until(() => taken.received).toContain(`b${i}`)
        expect(await holder!.answer(offer.id, { accept: true, reason: null })).toBe(true)
        expect(await offered).toEqual({ accept: true, reason: null })
      }
    } finally {
      cutting = false
      await cutter
      await admin.end()
    }
    expect(taken.received).toEqual(['b0', 'b1', 'b2', 'b3', 'b4'])
  })

  it('delivers events in order to every gateway that listens, and writes no rows for the others', async () => {
    const [one, two, three] = await exchanges(3)
    const received: number[][] = [[], []]
    for (const [i, exchange] of [one, two].entries()) {
      await exchange!.listen({
        event: (each) => received[i]!.push((each as { operationCount: number }).operationCount),
        missed: (count) => received[i]!.push(-count),
      })
    }
    await three!.participations()
    expect(three!.hasListeners()).toBe(true)
    const numbers = Array.from({ length: 3_000 }, (_, n) => n)
    for (const n of numbers) three!.publish(event(n))
    await until(() => received[0]!.length).toBe(3_000)
    await until(() => received[1]!.length).toBe(3_000)
    expect(received).toEqual([numbers, numbers])
    const admin = postgres(database.url, { max: 1 })
    expect(
      await admin`SELECT count(*)::int AS rows FROM mailbox m JOIN gateway g ON g.id = m.gateway WHERE NOT g.listens`,
    ).toEqual([{ rows: 0 }])
    await until(async () => (await admin`SELECT count(*)::int AS rows FROM mailbox`)[0]!['rows']).toBe(0)
    await admin.end()
  })

  it('reports how many events did not arrive', async () => {
    const [one, two] = await exchanges(2)
    let events = 0
    let missed = 0
    await one!.listen({
      event: () => {
        events += 1
      },
      missed: (count) => {
        missed += count
      },
    })
    await two!.participations()
    two!.publish(event(0))
    await until(() => events).toBe(1)
    // More events at once than the outbox holds.
    for (let n = 1; n <= 15_000; n++) two!.publish(event(n))
    await sleep(500)
    await until(() => {
      two!.publish(event(-1))
      return missed
    }).toBeGreaterThan(0)
    await until(() => events + missed).toBeGreaterThan(15_000)
  })

  it('sends no query and has no row while nothing is open', async () => {
    const counter = await countStatements(database.url)
    const history = await open(counter.url)
    const admin = postgres(database.url, { max: 1 })
    await sleep(1_500)
    const before = counter.statements
    await sleep(4_000)
    expect(counter.statements - before).toBe(0)

    const leave = await history.exchange.takePart({ name: 'p', kinds: ['**'], onFailure: 'refuse' }, recipient())
    await sleep(1_500)
    await leave()
    await until(async () => (await admin`SELECT count(*)::int AS rows FROM gateway`)[0]!['rows']).toBe(0)
    const after = counter.statements
    await sleep(3_000)
    expect(counter.statements - after).toBeLessThanOrEqual(1)
    await admin.end()
    await history.close()
    await counter.close()
  })

  it('leaves no row behind when it is closed', async () => {
    const history = await open()
    await history.exchange.takePart({ name: 'p', kinds: ['**'], onFailure: 'refuse' }, recipient())
    await history.exchange.listen({ event: () => undefined, missed: () => undefined })
    await apply(history, create('a:x'))
    await history.close()
    const admin = postgres(database.url, { max: 1 })
    expect(await admin`SELECT id FROM gateway`).toEqual([])
    await admin.end()
  })
})
