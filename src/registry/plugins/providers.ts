import type { Closable, JsonSchema, Provider, StandardSchema, Undo } from '../../store/contract/provider.js'
import { withinDeadline } from '../async/within-deadline.js'
import { checkProvider } from './check-provider.js'
import { checkProviderConfig, isStandardSchema } from './check-provider-config.js'
import { CreatedObjects } from './created-objects.js'
import type { ProviderDirectory, ProviderInfo } from './provider-directory.js'
import { ProviderError } from './provider-error.js'
import { RegistrationHooks } from './registration-hooks.js'

/** @bound Time for one registration hook, and for undoing it. */
const HOOK_MS = 10_000
/** @bound Time for one health check of a provider. */
const HEALTH_MS = 2_000

/** Called for each provider before it can be found. If it throws, the provider is not registered. */
export type RegistrationHook = (provider: ProviderInfo) => Promise<Undo> | Undo

/** For each role: the type that its providers create, and the host that they receive. */
export type RoleTable<Roles> = { readonly [Role in keyof Roles]: { readonly made: Closable; readonly host: unknown } }

/** Roles and deadlines of `Providers`. */
export interface ProvidersOptions<Roles> {
  readonly roles: readonly (keyof Roles & string)[]
  /** Converts a JSON Schema to a Standard Schema. @throws Error if it is not a JSON Schema */
  readonly compileJsonSchema: (schema: JsonSchema) => StandardSchema
  /** Receives failures that no caller gets: of health checks and of undoing hooks. */
  readonly failed?: (what: string, error: unknown) => void
  readonly hookMs?: number
  readonly healthMs?: number
}

interface Registered {
  readonly role: string
  readonly provider: Provider
  readonly schema: StandardSchema
  readonly registeredAt: Date
  /** Creations in flight: the provider cannot be unregistered meanwhile. */
  making: number
  readonly made: CreatedObjects
  readonly hooks: RegistrationHooks
  /** Its hooks have run, so it can be found. */
  isReady: boolean
  healthCheck: Promise<boolean | null> | undefined
}

/**
 * Registry of providers by role and name, without knowledge of any role. A name is reserved as soon as its registration starts, so the
 * second of two concurrent ones is refused. Hooks block nothing else.
 */
export class Providers<Roles extends RoleTable<Roles>> implements ProviderDirectory {
  readonly #registered = new Map<string, Registered>()
  readonly #defaults = new Map<string, Registered>()
  readonly #hooks = new Set<RegistrationHook>()
  readonly #everMade = new WeakSet<Closable>()
  readonly #options: ProvidersOptions<Roles>

  constructor(options: ProvidersOptions<Roles>) {
    this.#options = options
  }

  /** Adds a hook that each further registration calls, in the order of addition. The returned function removes it. */
  onRegister(hook: RegistrationHook): () => void {
    const own: RegistrationHook = (provider) => hook(provider)
    this.#hooks.add(own)
    return () => void this.#hooks.delete(own)
  }

  /**
   * Registers a provider. Resolves when the hooks have run and the provider can be found.
   * @throws ProviderError INVALID_PROVIDER, PROVIDER_EXISTS, PROVIDER_HOOK_FAILED (the registration is undone then)
   */
  async register<Role extends keyof Roles & string, Config>(
    role: Role,
    given: Provider<Config, Roles[Role]['made'], Roles[Role]['host']>,
  ): Promise<ProviderInfo> {
    this.#checkRole(role)
    // biome-ignore lint/suspicious/noExplicitAny: a provider's config is of the provider's own type; its schema checks it
    const provider = given as Provider<any, any, any>
    checkProvider(role, provider)
    const key = keyOf(role, provider.name)
    const label = `${role} provider "${provider.name}"`
    if (this.#registered.has(key))
      throw new ProviderError('PROVIDER_EXISTS', `The ${label} already exists. Give this one another name.`)
    const registered: Registered = {
      role,
      provider,
      schema: this.#schemaOf(label, provider),
      registeredAt: new Date(),
      making: 0,
      made: new CreatedObjects(this.#everMade),
      hooks: new RegistrationHooks(this.#options.hookMs ?? HOOK_MS, (error) =>
        this.#options.failed?.(`A hook of the ${label} could not be undone`, error),
      ),
      isReady: false,
      healthCheck: undefined,
    }
    this.#registered.set(key, registered)
    try {
      const info = this.#info(registered)
      const others = [...this.#hooks].map((hook) => () => hook(info))
      await registered.hooks.run([() => provider.onRegister?.(), ...others])
    } catch (error) {
      this.#registered.delete(key)
      await registered.hooks.undo()
      throw new ProviderError(
        'PROVIDER_HOOK_FAILED',
        `The ${label} was not registered, because a hook failed: ${(error as Error)?.message ?? String(error)}`,
        {},
        { cause: error },
      )
    }
    registered.isReady = true
    return this.#info(registered)
  }

  /**
   * Unregisters a provider.
   * @throws ProviderError PROVIDER_NOT_FOUND, PROVIDER_IN_USE with the number of open objects that it created
   */
  async unregister(role: keyof Roles & string, name: string): Promise<void> {
    const registered = this.#ready(role, name)
    const instances = countOf(registered)
    if (instances > 0) {
      throw new ProviderError(
        'PROVIDER_IN_USE',
        `The ${role} provider "${name}" has ${instances} live instance${instances === 1 ? '' : 's'}. Close them first.`,
        { instances },
      )
    }
    this.#registered.delete(keyOf(role, name))
    if (this.#defaults.get(role) === registered) this.#defaults.delete(role)
    await registered.hooks.undo()
  }

  /**
   * Sets the provider that is used if none is named.
   * @throws ProviderError PROVIDER_NOT_FOUND
   */
  setDefault(role: keyof Roles & string, name: string): void {
    this.#defaults.set(role, this.#ready(role, name))
  }

  /**
   * Checks the configuration, then lets the provider create an object, which counts as in use until its `close` has settled. There is no
   * deadline.
   * @param name null for the role's default
   * @throws ProviderError PROVIDER_NOT_FOUND, INVALID_PROVIDER_CONFIG that lists every fault, PROVIDER_FAILED, and errors of the provider
   */
  async create<Role extends keyof Roles & string>(
    role: Role,
    name: string | null,
    config: unknown,
    host: Roles[Role]['host'],
  ): Promise<Roles[Role]['made']> {
    const registered = this.#ready(role, name)
    const { provider, schema } = registered
    const label = `${role} provider "${provider.name}"`
    registered.making++
    try {
      const made = await provider.create(await checkProviderConfig(label, schema, config), host)
      registered.made.add(label, made)
      return made
    } finally {
      registered.making--
    }
  }

  /**
   * Checks a configuration as `create` does, without creating anything.
   * @throws ProviderError PROVIDER_NOT_FOUND, INVALID_PROVIDER_CONFIG
   */
  async checkConfig(role: keyof Roles & string, name: string | null, config: unknown): Promise<void> {
    const { provider, schema } = this.#ready(role, name)
    await checkProviderConfig(`${role} provider "${provider.name}"`, schema, config)
  }

  find({
    role,
    capability,
  }: {
    readonly role?: string | null
    readonly capability?: string | null
  } = {}): readonly ProviderInfo[] {
    const { roles } = this.#options
    return [...this.#registered.values()]
      .filter(
        (each) =>
          each.isReady &&
          (role ?? each.role) === each.role &&
          (capability == null || each.provider.capabilities?.includes(capability) === true),
      )
      .sort(
        (a, b) =>
          roles.indexOf(a.role as never) - roles.indexOf(b.role as never) ||
          (a.provider.name < b.provider.name ? -1 : 1),
      )
      .map((each) => this.#info(each))
  }

  get(role: string, name: string): ProviderInfo | null {
    const registered = this.#registered.get(keyOf(role, name))
    return registered?.isReady === true ? this.#info(registered) : null
  }

  async isHealthy(role: string, name: string): Promise<boolean | null> {
    const registered = this.#registered.get(keyOf(role, name))
    if (registered?.isReady !== true || registered.provider.health === undefined || registered.made.size === 0)
      return null
    registered.healthCheck ??= this.#checkHealth(registered).finally(() => {
      registered.healthCheck = undefined
    })
    return registered.healthCheck
  }

  /** Undoes all hooks, the last first. The callers of `create` have to close the created objects. */
  async close(): Promise<void> {
    const all = [...this.#registered.values()].reverse()
    this.#registered.clear()
    this.#defaults.clear()
    for (const { hooks } of all) await hooks.undo()
  }

  async #checkHealth({ role, provider, made }: Registered): Promise<boolean> {
    try {
      return (
        (await withinDeadline(this.#options.healthMs ?? HEALTH_MS, (signal) => provider.health!(made.list(), signal), {
          what: 'The health check',
        })) === true
      )
    } catch (error) {
      this.#options.failed?.(`The health check of the ${role} provider "${provider.name}" failed`, error)
      return false
    }
  }

  #schemaOf(label: string, { configSchema }: Provider): StandardSchema {
    if (isStandardSchema(configSchema)) return configSchema
    try {
      return this.#options.compileJsonSchema(configSchema as JsonSchema)
    } catch (error) {
      throw new ProviderError(
        'INVALID_PROVIDER',
        `The ${label} cannot be registered: its "configSchema" is neither a Standard Schema nor a JSON Schema: ${(error as Error).message}`,
        {},
        { cause: error },
      )
    }
  }

  #checkRole(role: string): void {
    const { roles } = this.#options
    if (!(roles as readonly string[]).includes(role))
      throw new ProviderError(
        'INVALID_PROVIDER',
        `There is no role ${JSON.stringify(role)}. The roles are ${roles.join(', ')}.`,
      )
  }

  #ready(role: string, name: string | null): Registered {
    this.#checkRole(role)
    const registered = name === null ? this.#defaults.get(role) : this.#registered.get(keyOf(role, name))
    if (registered?.isReady === true) return registered
    const names = this.find({ role })
      .map((each) => each.name)
      .join(', ')
    const what = name === null ? `default ${role} provider` : `${role} provider "${name}"`
    throw new ProviderError('PROVIDER_NOT_FOUND', `There is no ${what}. Registered are: ${names || 'none'}.`)
  }

  #info(registered: Registered): ProviderInfo {
    const { role, provider, registeredAt } = registered
    const { name, displayName = name, version, description, capabilities = [] } = provider
    return {
      role,
      name,
      displayName,
      version,
      description,
      capabilities: [...capabilities],
      registeredAt,
      isDefault: this.#defaults.get(role) === registered,
      instanceCount: countOf(registered),
    }
  }
}

function keyOf(role: string, name: string): string {
  return `${role}/${name}`
}

function countOf({ making, made }: Registered): number {
  return making + made.size
}
