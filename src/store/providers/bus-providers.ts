import type { Bus } from '../contract/exchange.js'
import type { Backend, History } from '../contract/history.js'
import type { Provider } from '../contract/provider.js'
import { openMemoryExchange } from '../memory/memory-exchange.js'

/** Passed to a bus provider besides its configuration. */
export interface BusHost {
  readonly history: History
}

// biome-ignore lint/suspicious/noExplicitAny: a provider's config is of the provider's own type; its schema checks it
export type BusProvider<Config = any> = Provider<Config, Bus, BusHost>

const VERSION = '1.0.0'
const NOTHING = { type: 'object', additionalProperties: false } as const

/** The built-in buses. */
export const BUS_PROVIDERS: readonly BusProvider[] = [
  {
    name: 'in-process',
    displayName: 'In process',
    version: VERSION,
    description: 'Delivers events on the gateway where they happen, and nowhere else.',
    capabilities: ['events'],
    configSchema: NOTHING,
    create: () => openMemoryExchange(),
  },
  {
    name: 'postgres',
    displayName: 'Postgres NOTIFY',
    version: VERSION,
    description: 'Delivers events on all gateways that share the database of the store, by mailboxes and NOTIFY.',
    capabilities: ['events', 'gateways'],
    configSchema: NOTHING,
    create(_config, { history: { backend, exchange } }) {
      if (DEFAULT_BUS[backend] !== 'postgres')
        throw new Error(`The bus "postgres" needs a store in Postgres. This one is "${backend}".`)
      // The bus belongs to the store and closes with it.
      return {
        hasListeners: () => exchange.hasListeners(),
        publish: (event) => exchange.publish(event),
        listen: (listener) => exchange.listen(listener),
        close: async () => {},
      }
    },
  },
]

/** The default bus of each store. It reaches every gateway that shares the store. */
export const DEFAULT_BUS: Readonly<Record<Backend, string>> = {
  postgres: 'postgres',
  embedded: 'postgres',
  memory: 'in-process',
  none: 'in-process',
}
