import { Providers } from '../../registry/plugins/providers.js'
import type { SourceReader } from '../../sources/contract/source-reader.js'
import { filesystemProvider } from '../../sources/filesystem/filesystem-provider.js'
import { httpProvider } from '../../sources/http/http-provider.js'
import { compileConfigSchema } from '../../sources/provider/config-schema.js'
import type { SourceHost, SourceProvider } from '../../sources/provider/source-provider.js'
import type { Bus } from '../../store/contract/exchange.js'
import type { History } from '../../store/contract/history.js'
import { BUS_PROVIDERS, type BusHost } from '../../store/providers/bus-providers.js'
import { STORE_PROVIDERS, type StoreHost } from '../../store/providers/store-providers.js'

/**
 * The roles of providers. For each role: the type that its providers create, and the host that the gateway passes to
 * them.
 */
export interface GatewayRoles {
  readonly store: { readonly made: History; readonly host: StoreHost }
  readonly source: { readonly made: SourceReader; readonly host: SourceHost }
  readonly bus: { readonly made: Bus; readonly host: BusHost }
}

const ROLES = ['store', 'source', 'bus'] as const satisfies readonly (keyof GatewayRoles)[]
export type GatewayProviders = Providers<GatewayRoles>

/** The built-in source providers. Those of stores and buses are in `store/providers`. */
export const SOURCE_PROVIDERS: readonly SourceProvider[] = [filesystemProvider, httpProvider]

/** Creates the provider directory and registers the built-in providers like any other. */
export async function createGatewayProviders(
  failed?: (what: string, error: unknown) => void,
): Promise<GatewayProviders> {
  const providers = new Providers<GatewayRoles>({
    roles: ROLES,
    compileJsonSchema: compileConfigSchema,
    ...(failed && { failed }),
  })
  for (const provider of Object.values(STORE_PROVIDERS)) await providers.register('store', provider)
  for (const provider of SOURCE_PROVIDERS) await providers.register('source', provider)
  for (const provider of BUS_PROVIDERS) await providers.register('bus', provider)
  return providers
}
