import { compileDependencyPatterns } from '../../core/dependency/compile-dependency-patterns.js'
import type { DependencyPattern } from '../../core/dependency/reference.js'
import type { Participant } from '../../registry/participants/participant.js'
import { adaptPluginParticipant, type PluginParticipant } from '../../registry/participants/plugin-participant.js'
import type { Provider } from '../../store/contract/provider.js'
import type { GatewayProviders, GatewayRoles } from './gateway-providers.js'

/** The argument of a plugin's `register`. The gateway starts when `register` and all its registrations have finished. */
export interface PluginApi {
  /** Adds a participant, which decides on changesets. @throws TypeError or InvalidBusPattern if it is invalid */
  participant(participant: PluginParticipant): void
  /**
   * Adds a `source`, a `store` or a `bus` that the configuration can name.
   * @throws ProviderError if it is invalid, its name is taken, or a hook fails
   */
  provider<Role extends keyof GatewayRoles, Config>(
    role: Role,
    provider: Provider<Config, GatewayRoles[Role]['made'], GatewayRoles[Role]['host']>,
  ): Promise<void>
  /** Adds a place where entries refer to others. @throws Error if the path does not parse */
  dependencyPattern(pattern: { readonly path: string; readonly allowWildcard?: boolean }): void
}

export interface PluginRegistrations {
  readonly api: PluginApi
  readonly participants: Participant[]
  readonly dependencies: DependencyPattern[]
  /** Resolves when all registrations so far have finished. */
  settled(): Promise<void>
  /** Refuses later participants and patterns, because the gateway reads them only once. */
  end(): void
}

/**
 * Collects what plugins register.
 * @param operationMs - Default time for a participant's answer
 */
export function pluginRegistrations(operationMs: number, providers: GatewayProviders): PluginRegistrations {
  const participants: Participant[] = []
  const dependencies: DependencyPattern[] = []
  const registering: Promise<void>[] = []
  let ended = false
  const inTime = (what: string) => {
    if (ended) throw new Error(`The gateway has started. Register ${what} within "register".`)
  }
  return {
    participants,
    dependencies,
    async settled() {
      await Promise.all(registering.splice(0))
    },
    end() {
      ended = true
    },
    api: {
      participant(given) {
        inTime('a participant')
        participants.push(adaptPluginParticipant(given, operationMs))
      },
      provider(role, provider) {
        // Providers can be registered later too. They can be found from then on.
        const registered = providers.register(role, provider).then(() => {})
        if (!ended) registering.push(registered)
        // `settled` reports the failure. A plugin need not await it.
        registered.catch(() => {})
        return registered
      },
      dependencyPattern(given) {
        inTime('a dependency pattern')
        const { path, allowWildcard = false } = (given ?? {}) as { path?: unknown; allowWildcard?: unknown }
        if (typeof path !== 'string') throw new TypeError('A dependency pattern needs a "path".')
        const pattern = { path, allowWildcard: allowWildcard === true }
        compileDependencyPatterns([pattern])
        dependencies.push(pattern)
      },
    },
  }
}
