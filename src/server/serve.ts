import { type GatewayConfig, loadConfig } from './config/config.js'
import { ConfigError } from './config/config-error.js'
import { StartError } from './config/start-error.js'
import { startGateway } from './gateway.js'
import { createLog, type Log } from './observing/log.js'
import { stopOnSignals } from './stop-on-signals.js'

/** Runs a gateway until a signal ends the process. Says where it is by one line on stdout; exits with 1 where it cannot start. */
export async function serve(load: () => GatewayConfig = loadConfig): Promise<void> {
  try {
    const config = load()
    const log = createLog(config.logLevel)
    outlive(log)
    const starting = startGateway(config, { log })
    stopOnSignals(starting, log)
    const gateway = await starting
    process.stdout.write(`Cadastre is ready: playground ${gateway.url}  endpoint ${gateway.endpoint}\n`)
  } catch (error) {
    const expected = error instanceof ConfigError || error instanceof StartError
    process.stderr.write(`Cadastre cannot start: ${expected ? error.message : (error as Error).stack}\n`)
    process.exit(1)
  }
}

/**
 * postgres.js 3.4 lets a TypeError of its own escape when the server is killed under it; its queries are
 * settled by our deadlines all the same, so that one is no reason to die. Any other error that nobody
 * caught leaves the process in a state that nobody knows.
 */
function outlive(log: Log): void {
  process.on('uncaughtException', (error) => {
    if (error instanceof TypeError && /[\\/]node_modules[\\/]postgres[\\/]/.test(error.stack ?? '')) {
      log.warn({ err: error }, 'the database driver failed outside of any query')
      return
    }
    log.fatal({ err: error }, 'an error that nobody caught')
    process.exit(1)
  })
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise failed and nobody listened'))
}
