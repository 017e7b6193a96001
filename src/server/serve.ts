import { type GatewayConfig, loadConfig } from './config/config.js'
import { ConfigError } from './config/config-error.js'
import { StartError } from './config/start-error.js'
import { startGateway } from './gateway.js'
import { createLog, type Log } from './observing/log.js'
import { stopOnSignals } from './stop-on-signals.js'

/**
 * Runs a gateway until a signal ends the process. Prints one line with its URLs on stdout. Exits with 1 if it cannot
 * start.
 */
export async function serve(load: () => GatewayConfig = loadConfig): Promise<void> {
  try {
    const config = load()
    const log = createLog(config.logLevel)
    surviveDriverErrors(log)
    const starting = startGateway(config, { log })
    stopOnSignals(starting, log)
    const gateway = await starting
    process.stdout.write(`Cadastre is ready: playground ${gateway.url}  endpoint ${gateway.endpoint}\n`)
  } catch (error) {
    const expected = error instanceof ConfigError || error instanceof StartError
    process.stderr.write(`Cadastre cannot start. ${expected ? error.message : (error as Error).stack}\n`)
    process.exit(1)
  }
}

/**
 * Continues after a TypeError that postgres.js 3.4 throws outside of any promise when its server is killed. Deadlines
 * settle its queries. After any other uncaught error the state is unknown, so the process exits.
 */
function surviveDriverErrors(log: Log): void {
  process.on('uncaughtException', (error) => {
    if (error instanceof TypeError && /[\\/]node_modules[\\/]postgres[\\/]/.test(error.stack ?? '')) {
      log.warn({ err: error }, 'the database driver failed outside of any query')
      return
    }
    log.fatal({ err: error }, 'uncaught error')
    process.exit(1)
  })
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled promise rejection'))
}
