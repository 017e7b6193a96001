import { chmodSync, chownSync, existsSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { findBinaries } from './binaries.js'
import { createFolder } from './create-folder.js'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'
import { DATABASE_NAME, withdrawSuperuser } from './gateway-role.js'
import { openLogFile } from './log-file.js'
import { takeOwnership } from './ownership.js'
import { durableSettings } from './postgres-settings.js'
import { prepareCluster } from './prepare-cluster.js'
import { chooseRunAs } from './run-as.js'
import { socketFolder, unixSocketUrl } from './socket-folder.js'
import { stopOrphanedPostmaster } from './stop-orphaned-postmaster.js'
import { supervisePostmaster } from './supervised-postmaster.js'

/** The server of the embedded store, ready for connections. */
export interface EmbeddedPostgres {
  /** `postgres://cadastre@localhost:5432/cadastre?host=<folder of the socket, percent-encoded>`. */
  readonly url: string
  /** The server's first process; undefined while a server that died is being replaced. */
  pid(): number | undefined
  /** Shuts the server down and releases the folder. Resolves when no process is left. May be called repeatedly. */
  stop(): Promise<void>
}

/**
 * Starts a Postgres server on `<dataDir>/postgres`, and creates its data if there is none.
 *
 * That folder holds `cluster/` (Postgres' data), `socket/`, `owner.<n>` (see ownership.ts), and `postgres.log` with its
 * predecessor. If root runs the gateway, another user runs the server and owns only `cluster/` and `socket/`. One process
 * at a time owns the folder. A server that a killed owner left running is stopped first. A server that dies is started
 * again.
 * @param options.dataDir is created if it is missing
 * @param options.log receives lines for the operator of the gateway
 * @throws EmbeddedUnavailable if the server cannot run, or another gateway uses the folder. The message states what to do
 */
export async function startEmbeddedPostgres(options: {
  readonly dataDir: string
  readonly log?: (line: string) => void
}): Promise<EmbeddedPostgres> {
  const say = options.log ?? (() => undefined)
  const binaries = findBinaries()
  const folder = makeFolder(options.dataDir)
  const ownership = await takeOwnership(folder)
  try {
    const cluster = join(folder, 'cluster')
    // Before its files may change their owner.
    await stopOrphanedPostmaster(cluster)
    const as = chooseRunAs(binaries, folder)
    if (as.user === undefined && process.getuid?.() === 0) {
      say(
        `The embedded Postgres runs as root in a user namespace, because no other user can use ${binaries.native} on ` +
          `${folder}; set CADASTRE_DATA_DIR to a folder such as /var/lib/cadastre`,
      )
    }
    const sockets = socketFolder(folder, as.user)
    // A killed server leaves its socket and a lock file. By now another process may have the pid in that file.
    for (const name of readdirSync(sockets)) rmSync(join(sockets, name))
    await prepareCluster(cluster, binaries, as)
    await withdrawSuperuser(cluster, { as, binaries, sync: true })
    const log = openLogFile(join(folder, 'postgres.log'), (error) =>
      say(`The log of Postgres cannot be written: ${error.message}`),
    )
    const settings = durableSettings(sockets)
    const server = await supervisePostmaster({ binaries, as, cluster, settings, log: log.write }, say).catch(
      (error: unknown) => {
        log.close()
        throw error
      },
    )
    let stopped: Promise<void> | undefined
    const stop = async () => {
      await server.stop()
      log.close()
      // A folder in the system's temporary folder would otherwise remain forever.
      rmSync(sockets, { recursive: true, force: true })
      await ownership.release()
    }
    return { url: unixSocketUrl(sockets, DATABASE_NAME), pid: server.pid, stop: () => (stopped ??= stop()) }
  } catch (error) {
    await ownership.release()
    throw error
  }
}

/** Whether `dataDir` holds an embedded store of an earlier start. */
export function holdsEmbeddedStore(dataDir: string): boolean {
  return existsSync(join(dataDir, 'postgres', 'cluster'))
}

function makeFolder(dataDir: string): string {
  const folder = join(dataDir, 'postgres')
  try {
    // The server's user must get through to `postgres`, which only that user may enter.
    createFolder(dataDir, 0o711)
    // Older gateways made it for root alone. Other files in it may rely on that.
    const isOurs = process.getuid?.() === 0 && statSync(dataDir).uid === 0 && readdirSync(dataDir).join() === 'postgres'
    if (isOurs) chmodSync(dataDir, statSync(dataDir).mode | 0o011)
    createFolder(folder, 0o700)
    const real = realpathSync(folder)
    // Older gateways that ran as root gave it to the server's user.
    if (process.getuid?.() === 0) chownSync(real, 0, 0)
    return real
  } catch (cause) {
    throw new EmbeddedUnavailable(
      `${folder} cannot be created (${(cause as Error).message}); set CADASTRE_DATA_DIR to a folder that this user may write, or ${DATABASE_URL_HINT}`,
      { cause },
    )
  }
}
