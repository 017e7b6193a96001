import { pathToFileURL } from 'node:url'
import type { DependencyPattern } from '../../core/dependency/reference.js'
import type { Participant } from '../../registry/participants/participant.js'
import type { GatewayConfig } from '../config/config.js'
import { StartError } from '../config/start-error.js'
import { writableBesideRoot, writableByAll } from '../config/writable-by-others.js'
import type { GatewayProviders } from './gateway-providers.js'
import { type PluginRegistrations, pluginRegistrations } from './plugin-api.js'

export interface LoadedPlugins {
  readonly participants: readonly Participant[]
  /** Added to those of the configuration. */
  readonly dependencies: readonly DependencyPattern[]
}

/**
 * Loads the configured plugins, one after another, and adds their providers to `providers`. A plugin is a module that
 * exports a function `register(api)`, by this name or as default. The function may be async.
 * @param warn receives a line for each plugin that another user may change, if root runs the gateway
 * @throws StartError that names the plugin and the reason
 */
export async function loadPlugins(
  { plugins, transactions }: Pick<GatewayConfig, 'plugins' | 'transactions'>,
  providers: GatewayProviders,
  warn: (line: string) => void = () => {},
): Promise<LoadedPlugins> {
  const registrations = pluginRegistrations(transactions.operationSeconds * 1_000, providers)
  for (const plugin of plugins) {
    checkMode(plugin, warn)
    await loadPlugin(plugin, registrations)
  }
  registrations.end()
  return registrations
}

/** A plugin runs as the gateway's user, so a user who can write it can do all that the gateway can. */
function checkMode(plugin: string, warn: (line: string) => void): void {
  const open = writableByAll(plugin)
  if (open !== null) {
    throw new StartError(
      `The plugin ${plugin} is not loaded, because every user may write ${open}. Run: chmod o-w ${JSON.stringify(open)}`,
    )
  }
  const foreign = writableBesideRoot(plugin)
  if (foreign !== null)
    warn(
      `Root runs the plugin ${plugin}, and other users may write ${foreign}. Give it to root, or run the gateway as its owner.`,
    )
}

async function loadPlugin(path: string, { api, settled }: PluginRegistrations): Promise<void> {
  try {
    const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as {
      register?: unknown
      default?: unknown
    }
    const register = module.register ?? module.default
    if (typeof register !== 'function') throw new TypeError('it exports no function "register" and no default function')
    await (register as (given: typeof api) => unknown)(api)
    await settled()
  } catch (error) {
    throw new StartError(`The plugin ${path} cannot be loaded: ${(error as Error)?.message ?? String(error)}`, {
      cause: error,
    })
  }
}
