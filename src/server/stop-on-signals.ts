import type { Gateway } from './gateway.js'
import type { Log } from './observing/log.js'

/**
 * @bound Time for stopping the gateway. SPEC allows 10 seconds. After this time, the process exits without waiting for
 * the rest.
 */
const LONGEST_MS = 9_500
/** Under npm, one Ctrl-C arrives twice: from the terminal and from npm. */
const SAME_SIGNAL_MS = 1_000

/**
 * Stops the gateway and the process on SIGTERM or SIGINT. A second signal exits at once. A signal during the start waits
 * until the gateway has started, because a half-open store would leave its database server running.
 */
export function stopOnSignals(starting: Promise<Gateway>, log: Log): void {
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | null = null
  const stop = (signal: NodeJS.Signals) => {
    if (first !== null) {
      if (signal === first.signal && performance.now() - first.at < SAME_SIGNAL_MS) return
      log.warn({ signal }, 'stopping at once')
      process.exit(1)
    }
    first = { signal, at: performance.now() }
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.warn('not everything stopped in time')
      process.exit(0)
    }, LONGEST_MS).unref()
    starting
      .then((gateway) => gateway.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'stopping failed')
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
