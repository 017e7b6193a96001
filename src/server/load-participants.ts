import { pathToFileURL } from 'node:url'
import type { Participant } from '../registry/participant.js'
import { pluginRegistrations, type PluginApi } from '../registry/plugin-participant.js'
import { WebhookParticipant } from '../registry/webhook-participant.js'
import type { GatewayConfig } from './config.js'
import { StartError } from './start-error.js'

export interface LoadedParticipants {
  readonly participants: readonly Participant[]
  close(): void
}

/**
 * The participants that the configuration names: webhooks, and what its plugins register. A plugin is a module that
 * exports a function `register(api)`, or has one as its default export; it may be async.
 * @throws StartError naming the plugin that cannot be loaded and why
 */
export async function loadParticipants({ participants, plugins, transactions }: Pick<GatewayConfig, 'participants' | 'plugins' | 'transactions'>): Promise<LoadedParticipants> {
  const webhooks = participants.map(({ timeoutSeconds, ...webhook }) => new WebhookParticipant({ ...webhook, timeoutMs: timeoutSeconds * 1_000 }))
  const registrations = pluginRegistrations(transactions.operationSeconds * 1_000)
  for (const plugin of plugins) await loadPlugin(plugin, registrations.api)
  const all = [...webhooks, ...registrations.participants]
  const names = all.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new StartError(`two participants have the name "${twice}"; give each its own`)
  return { participants: all, close: () => webhooks.forEach((webhook) => webhook.close()) }
}

async function loadPlugin(path: string, api: PluginApi): Promise<void> {
  try {
    const module = await import(/* @vite-ignore */ pathToFileURL(path).href) as { register?: unknown; default?: unknown }
    const register = module.register ?? module.default
    if (typeof register !== 'function') throw new TypeError('it exports no function "register" and has none as its default')
    await (register as (api: PluginApi) => unknown)(api)
  } catch (error) {
    throw new StartError(`the plugin ${path} cannot be loaded: ${(error as Error)?.message ?? String(error)}`, { cause: error })
  }
}
