import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'

/**
 * Stops the server that a killed owner has left running on a cluster. It is not adopted, because it may still execute
 * the dead owner's transactions, it may use an older gateway's settings, and no process is its parent. A fast shutdown
 * takes less than 0.1 s. Only the owner of the folder may call this.
 * @throws EmbeddedUnavailable if the server does not stop within 30 seconds
 */
export async function stopOrphanedPostmaster(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid')
  const first = firstLine(pidFile)
  const postmaster = first === undefined ? undefined : Number(first)
  // Stopping the postmaster stops its children. If the postmaster was killed, its children end by themselves.
  if (postmaster !== undefined && serves(postmaster, cluster)) {
    await end(() => (serves(postmaster, cluster) ? [postmaster] : []), ['SIGINT', 'SIGQUIT', 'SIGKILL'], cluster)
  }
  await end(() => processesOn(cluster), [0, 'SIGQUIT', 'SIGKILL'], cluster)
  // A new server refuses to start if a process with this pid lives, although pids are reused.
  rmSync(pidFile, { force: true })
}

/** Sends the signals one after another. The processes have ten seconds to comply with each. */
async function end(find: () => number[], signals: readonly (NodeJS.Signals | 0)[], cluster: string): Promise<void> {
  for (const signal of signals) {
    for (const pid of find()) signalIfThere(pid, signal)
    for (let waited = 0; waited < 10_000; waited += 10) {
      if (find().length === 0) return
      await sleep(10)
    }
  }
  throw new EmbeddedUnavailable(
    `the processes ${find().join(', ')} on ${cluster} do not stop; end them, or ${DATABASE_URL_HINT}`,
  )
}

function signalIfThere(pid: number, signal: NodeJS.Signals | 0): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n')[0]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The working directory of every server process is its cluster. A process that only reuses the pid has another one. */
function serves(pid: number, cluster: string): boolean {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout.includes(cluster)
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
  } catch {
    // It has ended (a zombie has no working directory) or belongs to another user, so it does not serve this cluster.
    return false
  }
}

function processesOn(cluster: string): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => serves(pid, cluster))
}
