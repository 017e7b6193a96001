import { setTimeout as sleep } from 'node:timers/promises'
import { type Launch, launchPostmaster, type Postmaster } from './postmaster.js'
import { stopOrphanedPostmaster } from './stop-orphaned-postmaster.js'

/** A server that is started again whenever it ends unexpectedly. */
export interface SupervisedPostmaster {
  /** The current process; undefined while the server is being restarted. */
  pid(): number | undefined
  stop(): Promise<void>
}

const firstPause = 100
const longestPause = 10_000

/**
 * Launches the server and restarts it whenever it ends. Its address stays the same, so clients only need to reconnect.
 * @param say receives a line for every unexpected end and every failed start
 * @throws EmbeddedUnavailable if the first start fails
 */
export async function supervisePostmaster(launch: Launch, say: (line: string) => void): Promise<SupervisedPostmaster> {
  const stopping = new AbortController()
  let current: Postmaster | undefined = await launchPostmaster(launch)

  const keepUp = async (): Promise<void> => {
    for (let pause = firstPause; !stopping.signal.aborted; ) {
      if (current) {
        await current.exited
        current = undefined
        if (!stopping.signal.aborted) say('The embedded Postgres ended unexpectedly; restarting it')
        continue
      }
      try {
        // The child processes of a killed server hold its shared memory for a moment.
        await stopOrphanedPostmaster(launch.cluster)
        current = await launchPostmaster({ ...launch, signal: stopping.signal })
        pause = firstPause
      } catch (error) {
        if (stopping.signal.aborted) break
        say(`The embedded Postgres does not start; next try in ${pause} ms: ${(error as Error).message}`)
        await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
        pause = Math.min(pause * 2, longestPause)
      }
    }
    await current?.stop()
  }
  const done = keepUp()

  return {
    pid: () => current?.pid,
    async stop() {
      stopping.abort()
      await current?.stop()
      await done
    },
  }
}
