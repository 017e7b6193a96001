import { escapeHidden } from '../core/entry/hidden-characters.js'
import { type GatewayConfig, loadConfig } from './config/config.js'
import { ConfigError } from './config/config-error.js'
import { ConfiguredError, StartError } from './config/start-error.js'
import { startGateway } from './gateway.js'
import { createLog, type Log } from './observing/log.js'
import { stopOnSignals } from './stop-on-signals.js'

export interface ServeOptions {
  readonly load?: () => GatewayConfig
  /** Whether to print the reason why it cannot start as JSON. */
  readonly json?: boolean
}

/** The exit codes of `cadastre`: the start is refused, or the configuration is wrong. */
const EXIT = { refused: 1, usage: 2 } as const

/**
 * Runs a gateway until a signal ends the process. Prints one line with its URLs on stdout. Exits with 1 if it cannot
 * start, and with 2 if its configuration is wrong.
 */
export async function serve({ load = loadConfig, json = false }: ServeOptions = {}): Promise<void> {
  // A gateway whose output has nowhere to go (a full disk, a closed pipe) still serves.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    const config = load()
    const log = createLog(config.logLevel)
    surviveDriverErrors(log)
    const starting = startGateway(config, { log })
    stopOnSignals(starting, log)
    const gateway = await starting
    process.stdout.write(`Cadastre is ready: playground ${gateway.url}  endpoint ${gateway.endpoint}\n`)
  } catch (error) {
    const isUsage = error instanceof ConfigError || error instanceof ConfiguredError
    const text = json ? JSON.stringify({ error: failureJson(error, isUsage) }) : failureText(error)
    process.stderr.write(`${escapeHidden(text)}\n`)
    process.exit(isUsage ? EXIT.usage : EXIT.refused)
  }
}

function failureText(error: unknown): string {
  const isExpected = error instanceof ConfigError || error instanceof StartError
  return `Cadastre cannot start. ${isExpected ? error.message : ((error as Error).stack ?? String(error))}`
}

/** As `cadastre --json` prints the failures of other commands. */
function failureJson(error: unknown, isUsage: boolean): Readonly<Record<string, unknown>> {
  if (error instanceof ConfigError) return { code: 'CONFIGURATION', message: error.message, problems: error.problems }
  const code = isUsage ? 'CONFIGURATION' : error instanceof StartError ? 'NOT_STARTED' : 'INTERNAL'
  return { code, message: (error as Error).message }
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
