import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.js'
import { EmbeddedUnavailable } from './embedded-unavailable.js'
import { type PostgresSettings, settingArguments } from './postgres-settings.js'
import { type RunAs, spawnAs } from './run-as.js'

/** A running server that is our child. */
export interface Postmaster {
  readonly pid: number
  /** Settles once the process is gone, however it went; never rejects. */
  readonly exited: Promise<void>
  /**
   * A fast shutdown: open transactions are rolled back, everything is written. Resolves when the process is gone; one
   * that has not gone after `deadline` milliseconds is made to stop at once, and recovers when it is next started: nothing
   * that was acknowledged is lost, and the gateway that waits for it has 10 seconds in all.
   */
  stop(deadline?: number): Promise<void>
}

/** How to launch a server on a cluster that is there. */
export interface Launch {
  readonly binaries: Binaries
  readonly as: RunAs
  readonly cluster: string
  readonly settings: PostgresSettings
  /** Every line that the server writes. */
  readonly log: (line: string) => void
  /** Calls a start off that is under way. */
  readonly signal?: AbortSignal
}

const readyWithin = 60_000

/**
 * Starts the server; resolves when it accepts connections.
 * @throws EmbeddedUnavailable with the server's own words when it does not come up within a minute.
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

  const came = await Promise.race([ready, exited.then(() => false), sleep(readyWithin, false, { ref: false })])
  signal?.removeEventListener('abort', interrupt)
  if (!came || child.pid === undefined) {
    child.kill('SIGQUIT')
    throw new EmbeddedUnavailable(`the server on ${cluster} did not start: ${lines.join('\n') || 'it said nothing'}`)
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

function eachLine(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    // A line without end must not fill the memory.
    rest = (parts.pop() ?? '').slice(-65_536)
    parts.forEach(take)
  })
}
