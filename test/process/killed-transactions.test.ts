import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPLY, post } from '../server/server-fixture.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from './gateway-process.js'

interface Received {
  readonly kind: string
  readonly entryId: string | null
  readonly transaction: string
}

/** The webhook request at which the sending gateway is killed. */
const MOMENTS = {
  'while the begin is sent': ({ kind }: Received) => kind === 'registry.begin',
  'in the middle of the offers': ({ entryId }: Received) => entryId?.endsWith(':2') === true,
  'when all have accepted': ({ entryId }: Received) => entryId?.endsWith(':3') === true,
  'after the commit, before its notification': ({ kind }: Received) => kind === 'registry.commit',
} as const

describe('a gateway killed in the middle of a transaction', () => {
  let database: TestDatabase
  let processes: GatewayProcesses
  let survivor: GatewayProcess
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-killed-'))
  let react: (received: Received, response: ServerResponse) => void = () => undefined
  const received: Received[] = []
  const hook = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    request.on('end', () => {
      const one = JSON.parse(text) as Received
      received.push(one)
      react(one, response)
    })
  })
  const environment = () => ({
    DATABASE_URL: database.url,
    CADASTRE_STORE: 'postgres',
    CADASTRE_CONFIG: join(folder, 'cadastre.yaml'),
  })

  beforeAll(async () => {
    database = await createTestDatabase()
    hook.listen(0, '127.0.0.1')
    await once(hook, 'listening')
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`
    writeFileSync(
      join(folder, 'cadastre.yaml'),
      JSON.stringify({ participants: [{ name: 'witness', url, timeoutSeconds: 20, secret: 's' }] }),
    )
    processes = await gatewayProcesses()
    survivor = await processes.start(environment())
  })
  afterAll(async () => {
    await processes.remove()
    hook.closeAllConnections()
    hook.close()
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  it('leaves all or nothing of the change, and every participant is notified which', async () => {
    const accept = (response: ServerResponse) => response.end('{"accept": true}')
    const victims = new Map<
      string,
      { gateway: GatewayProcess; isMoment: (received: Received) => boolean; transaction?: string }
    >()
    for (const [i, isMoment] of Object.values(MOMENTS).entries())
      victims.set(`ns${i}`, { gateway: await processes.start(environment()), isMoment })
    const lock = postgres(database.url, { max: 1 })
    let release = () => {}

    for (const [ns, victim] of victims) {
      const killed = new Promise<void>((resolve) => {
        const earlier = new Set([...victims.values()].map(({ transaction }) => transaction))
        let isKilled = false
        react = (one, response) => {
          // Ignores the survivor's messages about earlier transactions.
          if (earlier.has(one.transaction)) return void accept(response)
          victim.transaction = one.transaction
          if (isKilled || !victim.isMoment(one)) return void accept(response)
          isKilled = true
          void (async () => {
            if (ns === 'ns2') {
              // All have accepted, and the commit cannot begin before it is killed.
              const held = new Promise<void>((locked) => {
                void lock.begin(async (sql) => {
                  await sql`SELECT 1 FROM head_pointer FOR UPDATE`
                  locked()
                  await new Promise<void>((free) => {
                    release = free
                  })
                })
              })
              await held
              accept(response)
              await expect
                .poll(async () => await countAccepted(database.url, one.transaction), { timeout: 60_000 })
                .toBe(3)
            }
            victim.gateway.child.kill('SIGKILL')
            await victim.gateway.exited
            release()
            response.destroy()
            resolve()
          })()
        }
      })
      const operations = [1, 2, 3].map((n) => ({ create: { id: `${ns}:${n}`, kind: 'test.thing' } }))
      await post(victim.gateway, APPLY, { input: { operations } }).catch(() => undefined)
      await killed
    }
    react = (_one, response) => {
      accept(response)
    }
    const story = (transaction: string | undefined) =>
      received
        .filter((one) => one.transaction === transaction)
        .map(({ kind, entryId }) => [kind, entryId].filter(Boolean).join(' '))
    const ends = () => [...victims.values()].map(({ transaction }) => story(transaction).at(-1))
    await expect
      .poll(ends, { timeout: 60_000, interval: 200 })
      .toEqual(['registry.discard', 'registry.discard', 'registry.discard', 'registry.commit'])

    const { body } = await post(survivor, '{ entries { nodes { entryId } } }')
    expect(body.data!['entries'].nodes).toEqual([1, 2, 3].map((n) => ({ entryId: `ns3:${n}` })))
    const [first, second, third, fourth] = [...victims.values()].map(({ transaction }) => story(transaction))
    expect(first).toEqual(['registry.begin', 'registry.discard'])
    expect(second).toEqual([
      'registry.begin',
      'entry.create ns1:1',
      'entry.create ns1:2',
      'entry.delete ns1:1',
      'registry.discard',
    ])
    expect(third!.slice(-4)).toEqual([
      'entry.delete ns2:3',
      'entry.delete ns2:2',
      'entry.delete ns2:1',
      'registry.discard',
    ])
    expect(fourth!.slice(-2)).toEqual(['registry.commit', 'registry.commit'])
    await expect.poll(async () => (await lock`SELECT 1 FROM open_transaction`).length).toBe(0)
    await lock.end()
  })
})

async function countAccepted(url: string, transaction: string): Promise<number> {
  const sql = postgres(url, { max: 1 })
  try {
    return (await sql`SELECT 1 FROM acceptance WHERE transaction = ${transaction}`).length
  } finally {
    await sql.end()
  }
}
