import { ConfigError } from '../server/config-error.js'
import { loadConfig } from '../server/config.js'
import type { GatewayConfig } from '../server/config.js'
import { EXIT, Failure } from './failure.js'

/** The configuration that a gateway started here would have. @throws Failure (usage) naming every problem */
export function storeConfig(): GatewayConfig {
  try {
    return loadConfig()
  } catch (error) {
    if (error instanceof ConfigError) throw new Failure(EXIT.usage, error.message, 'CONFIGURATION', { problems: error.problems })
    throw error
  }
}

/** A store that cannot be opened, in the store's own words: they name what to do. */
export function storeFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  return new Failure(EXIT.unreachable, `the store cannot be opened: ${(error as Error).message}`, 'STORE')
}
