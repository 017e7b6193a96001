import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'

/**
 * Stops what an owner that was killed has left running on a cluster. Stopped, not adopted: it may still be busy with
 * the dead owner's transactions, it may run an older gateway's settings, and it is nobody's child; a fast shutdown
 * takes less than 0.1 s. To be called by the owner of the folder only.
 * @throws EmbeddedUnavailable when it does not go away in half a minute.
 */
export async function stopOrphanedPostmaster(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid')
  const first = firstLine(pidFile)
  const postmaster = first === undefined ? undefined : Number(first)
  // Stopping the first process stops them all; where that one was killed, the others notice by themselves.
  if (postmaster !== undefined && serves(postmaster, cluster)) {
    await end(() => (serves(postmaster, cluster) ? [postmaster] : []), ['SIGINT', 'SIGQUIT', 'SIGKILL'], cluster)
  }
  await end(() => processesOn(cluster), [0, 'SIGQUIT', 'SIGKILL'], cluster)
  // The server takes any live process with the pid in here for its own rival, and pids come again; we know better.
  rmSync(pidFile, { force: true })
}

/** Sends each signal in turn, with ten seconds to comply. */
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

/** Every process of a server works in its cluster's folder, which tells it from a stranger with a pid that came again. */
function serves(pid: number, cluster: string): boolean {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout.includes(cluster)
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
  } catch {
    // Gone (a zombie has no folder either), or another user's: not one that serves our folder.
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
