import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBinaries } from '../../src/store/embedded/binaries.js'
import { writeLogins } from '../../src/store/embedded/gateway-role.js'
import { commonSettings, type PostgresSettings } from '../../src/store/embedded/postgres-settings.js'
import { launchPostmaster, type Postmaster } from '../../src/store/embedded/postmaster.js'
import { prepareCluster } from '../../src/store/embedded/prepare-cluster.js'
import { chooseRunAs } from '../../src/store/embedded/run-as.js'
import { runSingleUser } from '../../src/store/embedded/run-program.js'

/** A server in a temporary folder, which listens on 127.0.0.1 and on a Unix socket. */
export interface ThrowawayServer {
  /** The address of a database over TCP. */
  url(database: string): string
  /** The folder of its Unix socket, `.s.PGSQL.<port>`. */
  readonly socketFolder: string
  readonly port: number
  pid(): number
  /** Resolves when the process has ended, for whatever reason. */
  exited(): Promise<void>
  /** Starts the server again on the same data and port. */
  start(): Promise<void>
  /** Stops the server and keeps the data. */
  stop(): Promise<void>
  /** Copies the data of a stopped server. The returned function restores them once, while the server is stopped again. */
  copyData(): () => void
  /** Stops the server and removes its folder. */
  remove(): Promise<void>
}

// The gateway's role is a plain one, as in the embedded store. Tests create databases with it.
const RIGHTS_OF_TESTS = [
  'ALTER ROLE cadastre CREATEDB',
  'GRANT pg_checkpoint TO cadastre',
  'GRANT ALTER SYSTEM ON PARAMETER autovacuum TO cadastre',
]

const prefix = 'cadastre-test-postgres-'

// A killed run leaves its folder behind, while its server stops by itself. The folder's name has the pid of the run.
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    try {
      process.kill(Number.parseInt(name.slice(prefix.length), 10), 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH')
        rmSync(join(tmpdir(), name), { recursive: true, force: true })
    }
  }
}

/** Creates and starts a server. With `durable` it waits for the disk, as the embedded store does. */
export async function startThrowawayServer(options: {
  readonly durable: boolean
  readonly settings?: PostgresSettings
}): Promise<ThrowawayServer> {
  removeAbandoned()
  const folder = realpathSync(await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`)))
  const binaries = findBinaries()
  const as = chooseRunAs(binaries, folder)
  const cluster = join(folder, 'cluster')
  const socketFolder = join(folder, 'socket')
  mkdirSync(socketFolder, { mode: 0o700 })
  if (as.user) chownSync(socketFolder, as.user.uid, as.user.gid)
  await prepareCluster(cluster, binaries, as, { sync: options.durable })
  writeLogins(cluster, as, 'local all all trust\nhost all all 127.0.0.1/32 trust\n')
  await runSingleUser({ as, binaries, cluster, database: 'postgres', sync: options.durable }, RIGHTS_OF_TESTS)
  const sync = options.durable ? 'on' : 'off'
  let running: Postmaster | undefined
  let port = 0

  const launch = async (): Promise<Postmaster> => {
    const settings = {
      ...commonSettings(socketFolder),
      listen_addresses: '127.0.0.1',
      port,
      fsync: sync,
      synchronous_commit: sync,
      full_page_writes: sync,
      max_connections: 200,
      shared_buffers: '128MB',
      ...options.settings,
    }
    return launchPostmaster({ binaries, as, cluster, settings, log: () => undefined })
  }
  // Another process may take the port before the server does.
  for (let attempt = 1; running === undefined; attempt++) {
    port = await freePort()
    try {
      running = await launch()
    } catch (error) {
      if (attempt === 5 || !String(error).includes('could not bind')) throw error
    }
  }
  return {
    url: (database) => `postgres://cadastre@127.0.0.1:${port}/${database}`,
    socketFolder,
    port,
    pid: () => running?.pid ?? 0,
    exited: async () => running?.exited,
    async start() {
      // The child processes of a killed server end after a moment. Until then its shared memory is in use.
      for (let attempt = 1; ; attempt++) {
        try {
          running = await launch()
          return
        } catch (error) {
          if (attempt === 50) throw error
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      }
    },
    stop: async () => running?.stop(),
    copyData() {
      const copy = `${cluster}-copy`
      execFileSync('cp', ['-a', cluster, copy])
      return () => {
        rmSync(cluster, { recursive: true })
        renameSync(copy, cluster)
      }
    },
    async remove() {
      await running?.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Finds an unused port, below the range from which the system assigns ports to clients. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer()
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
    })
    if (free) return port
  }
}
