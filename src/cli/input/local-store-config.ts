import type { GatewayConfig } from '../../server/config/config.js'
import { loadConfig } from '../../server/config/config.js'
import { ConfigError } from '../../server/config/config-error.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'

/** The configuration that a gateway started here would have, over one of the built-in stores. @throws Failure (usage) naming every problem */
export function localStoreConfig(): GatewayConfig {
  try {
    const config = loadConfig()
    if (config.store === null) return config
    throw new CommandFailure(
      EXIT.usage,
      `the store "${config.store.provider}" is a plugin's: only the built-in ones can be looked into from here`,
      'CONFIGURATION',
    )
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CommandFailure(EXIT.usage, error.message, 'CONFIGURATION', { problems: error.problems })
    throw error
  }
}

/** A store that cannot be opened, in the store's own words: they name what to do. */
export function localStoreFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  return new CommandFailure(EXIT.unreachable, `the store cannot be opened: ${(error as Error).message}`, 'STORE')
}
