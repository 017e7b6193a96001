import { compileDependencyPatterns } from '../../core/dependency/compile-dependency-patterns.js'
import type { DependencyPattern } from '../../core/dependency/reference.js'
import type { Participant } from '../../registry/participants/participant.js'
import { adaptPluginParticipant, type PluginParticipant } from '../../registry/participants/plugin-participant.js'
import type { Provider } from '../../store/contract/provider.js'
import type { GatewayProviders, GatewayRoles } from './gateway-providers.js'

/** What a plugin's `register` is given. It may be async: the gateway starts when it has done, and when all of this has. */
export interface PluginApi {
  /** Asked before a changeset is applied. @throws TypeError, InvalidBusPattern on what cannot be used */
  participant(participant: PluginParticipant): void
  /**
   * Adds something to be named in the configuration: a `source`, a `store` or a `bus`.
   * @throws ProviderError on what cannot be used, a name that is taken, a hook that fails
   */
  provider<Role extends keyof GatewayRoles, Config>(
    role: Role,
    provider: Provider<Config, GatewayRoles[Role]['made'], GatewayRoles[Role]['host']>,
  ): Promise<void>
  /** Where entries refer to others, besides what the configuration says. @throws Error on a path that does not parse */
  dependencyPattern(pattern: { readonly path: string; readonly allowWildcard?: boolean }): void
}

export interface PluginRegistrations {
  readonly api: PluginApi
  readonly participants: Participant[]
  readonly dependencies: DependencyPattern[]
  /** Resolves when everything stands that was registered so far. */
  settled(): Promise<void>
  /** What the gateway is put together from by now, it does not look at again. */
  end(): void
}

/** Takes what plugins register. @param operationMs for one answer of a participant, unless it says so itself */
export function pluginRegistrations(operationMs: number, providers: GatewayProviders): PluginRegistrations {
  const participants: Participant[] = []
  const dependencies: DependencyPattern[] = []
  const registering: Promise<void>[] = []
  let ended = false
  const inTime = (what: string) => {
    if (ended) throw new Error(`the gateway has started: ${what} can only be registered within "register"`)
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
        // Later on too: one that is registered while the gateway runs can be found from then on.
        const registered = providers.register(role, provider).then(() => {})
        if (!ended) registering.push(registered)
        // Heard by `settled`; a plugin need not wait for it.
        registered.catch(() => {})
        return registered
      },
      dependencyPattern(given) {
        inTime('a dependency pattern')
        const { path, allowWildcard = false } = (given ?? {}) as { path?: unknown; allowWildcard?: unknown }
        if (typeof path !== 'string') throw new TypeError('a dependency pattern needs a "path"')
        const pattern = { path, allowWildcard: allowWildcard === true }
        compileDependencyPatterns([pattern])
        dependencies.push(pattern)
      },
    },
  }
}
