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
  () => ({ find: { '.kind': any(['kind.*', '*b', 'kind.a']), '^name': any(['x', 'y']) } }),
  () => ({ where: { not: { meta: [{ path: 'color', in: [any(COLORS), any(COLORS)] }] } } }),
  () => ({ where: { or: [{ name: { glob: any(['*1', '?']) } }, { meta: [{ path: 'n', eq: any([0, 1, 2]) }] }] } }),
  () => ({ find: { '~.id': any(['^p:', '[0-5]$', 'q:1.?']) } }),
]

export interface Storm {
  readonly clients: readonly FollowingClient[]
  /** What was acknowledged, by revision. */
  readonly acknowledged: ReadonlyMap<number, Written>
  readonly last: number
  /** What `entries` gives at a revision. */
  found(revision: number, filter: object): Promise<Folded>
  readonly disturbed: { sockets: number; listeners: number; gateways: number; database: number }
  /** Lines that gateways logged as errors. */
  readonly logged: readonly string[]
  close(): Promise<void>
}

/**
 * Two gateways on one database, four writers and eight followers over both, while sockets and the listening
 * connections are cut, gateways killed with -9, and the database too.
 */
export async function storm(writes: number): Promise<Storm> {
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

  async function writer(): Promise<void> {
    while (acknowledged.size < writes) {
      const written =
        Math.random() < 0.08
          ? await applyVersion(endpoints, Math.floor(Math.random() * (versions + 1)))
          : await applyChangeset(endpoints, randomOperations())
      if (written === null) continue
      if (acknowledged.has(written.revision)) throw new Error(`revision ${written.revision} was acknowledged twice`)
      acknowledged.set(written.revision, written)
      versions = Math.max(versions, written.version)
    }
  }

  let storming = true
  async function cutting(): Promise<void> {
    while (storming) {
      await sleep(10 + Math.random() * 60)
      any(clients).cut()
      disturbed.sockets += 1
    }
  }
  async function deafening(): Promise<void> {
    const sql = postgres(database.url, {
      max: 1,
      onnotice: () => undefined,
      onclose: () => undefined,
      connect_timeout: 2,
    })
    while (storming) {
      await sleep(60 + Math.random() * 60)
      const cut = await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cadastre listener' AND datname = current_database()
      `.catch(() => [])
      disturbed.listeners += cut.length
    }
    await sql.end({ timeout: 1 })
  }
  async function killing(): Promise<void> {
    for (let i = 0; storming; i++) {
      await until('writes go on', () => !storming || acknowledged.size > (writes * (i + 1)) / 6, 60_000)
      if (!storming) return
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

  const disturbing = Promise.all([cutting(), deafening(), killing()])
  await Promise.all([writer(), writer(), writer(), writer()])
  storming = false
  await disturbing
  const last = Math.max(...acknowledged.keys())
  await until('all have caught up', () => clients.every(({ revision }) => revision >= last), 20_000)
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

/** One to four operations on few ids, so that they meet; some are refused. */
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
