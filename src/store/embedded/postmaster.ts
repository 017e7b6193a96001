import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.js'
import { EmbeddedUnavailable } from './embedded-unavailable.js'
import { type PostgresSettings, settingArguments } from './postgres-settings.js'
import { type RunAs, spawnAs } from './run-as.js'

/** A running server that is a child of this process. */
export interface Postmaster {
  readonly pid: number
  /** Resolves when the process has ended, for whatever reason. Never rejects. */
  readonly exited: Promise<void>
  /**
   * Shuts the server down: open transactions are rolled back, everything is written. Resolves when the process has
   * ended. A server that has not stopped within `deadline` milliseconds is ended at once and recovers at its next start,
   * without losing an acknowledged commit. The whole gateway has 10 seconds to stop.
   */
  stop(deadline?: number): Promise<void>
}

/** How to launch a server on an existing cluster. */
export interface Launch {
  readonly binaries: Binaries
  readonly as: RunAs
  readonly cluster: string
  readonly settings: PostgresSettings
  /** Receives every line that the server writes. */
  readonly log: (line: string) => void
  /** Cancels a start that is in progress. */
  readonly signal?: AbortSignal
}

const readyWithin = 60_000

/**
 * Starts the server and resolves when it accepts connections.
 * @throws EmbeddedUnavailable with the server's last messages if it is not ready within a minute
 */
export async function launchPostmaster({ binaries, as, cluster, settings, log, signal }: Launch): Promise<Postmaster> {
  const child = spawnAs(
    as,
    binaries.postgres,
    ['-D', cluster, ...settingArguments(settings)],
    ['ignore', 'ignore', 'pipe'],
  )
  const exited = once(child, 'close').then(
    () => undefined,
    () => undefined,
  )
  const lines: string[] = []
  const ready = new Promise<boolean>((resolve) => {
    eachLine(child.stderr, (line) => {
      log(line)
      if (lines.push(line) > 20) lines.shift()
      if (line.includes('database system is ready to accept connections')) resolve(true)
    })
  })
  const interrupt = () => void child.kill('SIGINT')
  process.once('exit', interrupt)
  signal?.addEventListener('abort', interrupt, { once: true })
  void exited.then(() => process.off('exit', interrupt))

  const isReady = await Promise.race([ready, exited.then(() => false), sleep(readyWithin, false, { ref: false })])
  signal?.removeEventListener('abort', interrupt)
  if (!isReady || child.pid === undefined) {
    child.kill('SIGQUIT')
    throw new EmbeddedUnavailable(
      `the server on ${cluster} did not start: ${lines.join('\n') || 'it wrote no message'}`,
    )
  }
  return {
    pid: child.pid,
    exited,
    async stop(deadline = 2_500) {
      child.kill('SIGINT')
      if (await Promise.race([exited.then(() => true), sleep(deadline, false, { ref: false })])) return
      child.kill('SIGQUIT')
      if (await Promise.race([exited.then(() => true), sleep(6_000, false, { ref: false })])) return
      child.kill('SIGKILL')
      await exited
    },
  }
}

function eachLine(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    // Limits the memory that an endless line takes.
    rest = (parts.pop() ?? '').slice(-65_536)
    parts.forEach(onLine)
  })
}
