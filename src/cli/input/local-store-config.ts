import type { GatewayConfig } from '../../server/config/config.js'
import { loadConfig } from '../../server/config/config.js'
import { ConfigError } from '../../server/config/config-error.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'

/** The configuration that a gateway would have here. Only built-in stores are supported. @throws CommandFailure (usage) with every problem */
export function localStoreConfig(): GatewayConfig {
  try {
    const config = loadConfig()
    if (config.store === null) return config
    throw new CommandFailure(
      EXIT.usage,
      `The store "${config.store.provider}" belongs to a plugin. This command supports only the built-in stores`,
      'CONFIGURATION',
    )
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CommandFailure(EXIT.usage, error.message, 'CONFIGURATION', { problems: error.problems })
    throw error
  }
}

/** The failure for a store that cannot be opened. The store's message states what to do. */
export function localStoreFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  return new CommandFailure(EXIT.unreachable, `The store cannot be opened: ${(error as Error).message}`, 'STORE')
}
