import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { type GatewayProcess, gatewayProcesses } from '../process/gateway-process.js'
import { startTestPostgres } from '../support/test-postgres.js'
import { freePort } from '../support/throwaway-server.js'
import { type Folded, FollowingClient } from './following-client.js'
import {
  applyChangeset,
  applyVersion,
  create,
  foundAt,
  remove,
  until,
  update,
  type Written,
} from './following-fixture.js'
import { TRANSPORTS } from './following-stream.js'

const COLORS = ['red', 'green', 'blue']
const any = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)]!

const RANDOM_FILTERS: readonly (() => object)[] = [
  () => ({ find: { color: any(COLORS) } }),
  () => ({ find: { '.kind': any(['kind.*', '*b', 'kind.a']), '^meta.name': any(['x', 'y']) } }),
  () => ({ where: { not: { meta: [{ path: 'color', in: [any(COLORS), any(COLORS)] }] } } }),
  () => ({ where: { or: [{ name: { glob: any(['*1', '?']) } }, { meta: [{ path: 'n', eq: any([0, 1, 2]) }] }] } }),
  () => ({ find: { '~.id': any(['^p:', '[0-5]$', 'q:1.?']) } }),
]

export interface ChaosRun {
  readonly clients: readonly FollowingClient[]
  /** Acknowledged writes by revision. */
  readonly acknowledged: ReadonlyMap<number, Written>
  readonly last: number
  /** Reads the entries that match a filter at a revision. */
  found(revision: number, filter: object): Promise<Folded>
  readonly disturbed: { sockets: number; listeners: number; gateways: number; database: number }
  /** Lines that the gateways logged as errors. */
  readonly logged: readonly string[]
  close(): Promise<void>
}

/**
 * Runs two gateways on one database with four writers and eight followers. Meanwhile it cuts sockets and listening
 * connections, and kills gateways and the database with SIGKILL. It ends after `writes` writes, and not before each
 * kind of disturbance has happened often enough to prove something.
 */
export async function runChaos(writes: number): Promise<ChaosRun> {
  const database = await startTestPostgres()
  const processes = await gatewayProcesses()
  const ports = [await freePort(), await freePort()]
  const start = (i: number) =>
    processes.start({ CADASTRE_STORE: 'postgres', DATABASE_URL: database.url, PORT: String(ports[i]) })
  const gateways: GatewayProcess[] = await Promise.all([start(0), start(1)])
  const all = [...gateways]
  const endpoints = gateways.map(({ endpoint }) => endpoint)

  const clients = TRANSPORTS.flatMap((transport) =>
    [() => ({}), ...(transport === 'ws' ? RANDOM_FILTERS.slice(0, 3) : RANDOM_FILTERS.slice(2))].map(
      (filter) => new FollowingClient(transport, endpoints, filter()),
    ),
  )
  const acknowledged = new Map<number, Written>()
  let versions = 0
  const disturbed = { sockets: 0, listeners: 0, gateways: 0, database: 0 }

  // Disturbances take time. On a slow machine the writes could end before them.
  const isDisturbed = () =>
    disturbed.sockets > 30 &&
    disturbed.listeners > 20 &&
    disturbed.gateways >= 2 &&
    disturbed.database >= 2 &&
    clients.every(({ connections }) => connections > 3)

  async function writer(): Promise<void> {
    while (acknowledged.size < writes || !isDisturbed()) {
      const written =
        Math.random() < 0.08
          ? await applyVersion(endpoints, Math.floor(Math.random() * (versions + 1)))
          : await applyChangeset(endpoints, randomOperations())
      if (written === null) continue
      if (acknowledged.has(written.revision)) throw new Error(`Revision ${written.revision} was acknowledged twice`)
      acknowledged.set(written.revision, written)
      versions = Math.max(versions, written.version)
    }
  }

  let writing = true
  async function cutSockets(): Promise<void> {
    while (writing) {
      await sleep(10 + Math.random() * 60)
      any(clients).cut()
      disturbed.sockets += 1
    }
  }
  async function cutListeners(): Promise<void> {
    const sql = postgres(database.url, {
      max: 1,
      onnotice: () => undefined,
      onclose: () => undefined,
      connect_timeout: 2,
    })
    while (writing) {
      await sleep(60 + Math.random() * 60)
      const cut = await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cadastre listener' AND datname = current_database()
      `.catch(() => [])
      disturbed.listeners += cut.length
    }
    await sql.end({ timeout: 1 })
  }
  async function killServers(): Promise<void> {
    for (let i = 0; writing; i++) {
      await until('the writes continue', () => !writing || acknowledged.size > (writes * (i + 1)) / 6, 300_000)
      if (!writing) return
      if (i % 2 === 0) {
        const at = (i / 2) % 2
        gateways[at]!.child.kill('SIGKILL')
        await gateways[at]!.exited
        gateways[at] = await start(at)
        all.push(gateways[at]!)
        disturbed.gateways += 1
      } else {
        database.kill9()
        await sleep(100)
        await database.start()
        disturbed.database += 1
      }
    }
  }

  const disturbances = Promise.all([cutSockets(), cutListeners(), killServers()])
  await Promise.all([writer(), writer(), writer(), writer()])
  writing = false
  await disturbances
  const last = Math.max(...acknowledged.keys())
  await until('all followers catch up', () => clients.every(({ revision }) => revision >= last), 120_000)
  await Promise.all(clients.map((client) => client.end()))

  return {
    clients,
    acknowledged,
    last,
    disturbed,
    found: (revision, filter) => foundAt(any(endpoints), revision, filter),
    logged: all.flatMap(({ said }) => said.err.split('\n').filter((line) => /"level":[56]0/.test(line))),
    async close() {
      await processes.remove()
      await database.remove()
    },
  }
}

/** Makes one to four operations on few ids, so that they collide. Some are refused. */
function randomOperations(): object[] {
  const ids = new Set(
    Array.from(
      { length: 1 + Math.floor(Math.random() * 4) },
      () => `${any(['p', 'q'])}:${any(['x', 'y', '1', '11'])}${Math.floor(Math.random() * 6)}`,
    ),
  )
  return [...ids].flatMap((id) => {
    const content = [
      { color: any(COLORS), n: Math.floor(Math.random() * 3), name: any(['x1', 'y2']) },
      Math.random(),
    ] as const
    const kind = Math.random() < 0.8 ? 'kind.a' : 'kind.b'
    return any<() => object[]>([
      () => [create(id, ...content, kind)],
      () => [create(id, ...content, kind)],
      () => [update(id, ...content, 'kind.a')],
      () => [update(id, ...content, 'kind.a')],
      () => [remove(id)],
      () => [remove(id), create(id, ...content, any(['kind.a', 'kind.b']))],
    ])()
  })
}
