import { setTimeout as sleep } from 'node:timers/promises'
import { type Launch, launchPostmaster, type Postmaster } from './postmaster.js'
import { stopOrphanedPostmaster } from './stop-orphaned-postmaster.js'

/** A server that is started again whenever it ends without having been asked to. */
export interface SupervisedPostmaster {
  /** The present process, undefined between two. */
  pid(): number | undefined
  stop(): Promise<void>
}

const firstPause = 100
const longestPause = 10_000

/**
 * Launches the server and keeps it up. Its address stays the same, so that clients only have to connect again.
 * @param say is told of every unexpected end and every failed start
 * @throws EmbeddedUnavailable when the first start fails.
 */
export async function supervisePostmaster(launch: Launch, say: (line: string) => void): Promise<SupervisedPostmaster> {
  const stopping = new AbortController()
  let present: Postmaster | undefined = await launchPostmaster(launch)

  const keepUp = async (): Promise<void> => {
    for (let pause = firstPause; !stopping.signal.aborted; ) {
      if (present) {
        await present.exited
        present = undefined
        if (!stopping.signal.aborted) say('the embedded Postgres ended unexpectedly; starting it again')
        continue
      }
      try {
        // The backends of a killed server hold on to its shared memory for a moment.
        await stopOrphanedPostmaster(launch.cluster)
        present = await launchPostmaster({ ...launch, signal: stopping.signal })
        pause = firstPause
      } catch (error) {
        if (stopping.signal.aborted) break
        say(`the embedded Postgres does not start, next try in ${pause} ms: ${(error as Error).message}`)
        await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
        pause = Math.min(pause * 2, longestPause)
      }
    }
    await present?.stop()
  }
  const done = keepUp()

  return {
    pid: () => present?.pid,
    async stop() {
      stopping.abort()
      await present?.stop()
      await done
    },
  }
}
