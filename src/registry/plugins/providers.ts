import type { Closable, JsonSchema, Provider, StandardSchema, Undo } from '../../store/contract/provider.js'
import { withinDeadline } from '../async/within-deadline.js'
import { checkProvider } from './check-provider.js'
import { checkProviderConfig, isStandardSchema } from './check-provider-config.js'
import { ProviderError } from './provider-error.js'

/** @bound Time for one registration hook, and for undoing it. */
const HOOK_MS = 10_000
/** @bound Time for one health check of a provider. */
const HEALTH_MS = 2_000

/** What a provider is to whoever looks for one. */
export interface ProviderInfo {
  readonly role: string
  readonly name: string
  readonly displayName: string
  readonly version: string
  readonly description: string
  readonly capabilities: readonly string[]
  /** Whether it is used where a configuration names none. */
  readonly isDefault: boolean
  /** What it has made, or is making, and is not closed. */
  readonly instanceCount: number
  readonly registeredAt: Date
}

/** Looking at providers: all that a client may do. */
export interface ProviderDirectory {
  /** By role, in the order of the roles, then by name; what is left out or null matches all. */
  find(wanted?: { readonly role?: string | null; readonly capability?: string | null }): readonly ProviderInfo[]
  get(role: string, name: string): ProviderInfo | null
  /**
   * Whether what it has made works: null where there is nothing of it, or it does not tell. Never throws; no answer in time is a no. Who asks while
   * one look is under way hears what that finds.
   */
  isHealthy(role: string, name: string): Promise<boolean | null>
}

/** Hears of each provider before anybody can find it. Where it throws, the provider is not registered. */
export type RegistrationHook = (provider: ProviderInfo) => Promise<Undo> | Undo

/** For each role: what its providers make, and what they are given to work with. */
export type RoleTable<Roles> = { readonly [Role in keyof Roles]: { readonly made: Closable; readonly host: unknown } }

export interface ProvidersOptions<Roles> {
  readonly roles: readonly (keyof Roles & string)[]
  /** Makes a Standard Schema of a JSON Schema. @throws Error where that is none */
  readonly compileJsonSchema: (schema: JsonSchema) => StandardSchema
  /** Hears of what failed and is nobody's error: a look at health, taking back what a hook did. */
  readonly failed?: (what: string, error: unknown) => void
  readonly hookMs?: number
  readonly healthMs?: number
}

interface Registered {
  readonly role: string
  readonly provider: Provider
  readonly schema: StandardSchema
  readonly registeredAt: Date
  /** Being made, so that nobody unregisters it meanwhile. */
  making: number
  readonly made: Set<Closable>
  readonly undos: (() => unknown)[]
  /** Its hooks have run: it can be found. */
  standing: boolean
  looking: Promise<boolean | null> | undefined
}

/**
 * What can be plugged in, by role and name. Knows no role's details. A name is taken from the moment its registration
 * begins, so of two at once the second is refused; hooks run with nothing locked, and the rest goes on meanwhile.
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

  /** From now on each registration calls `hook`, in the order in which hooks were added. Call what is returned to end that. */
  onRegister(hook: RegistrationHook): () => void {
    const own: RegistrationHook = (provider) => hook(provider)
    this.#hooks.add(own)
    return () => void this.#hooks.delete(own)
  }

  /**
   * Resolves when the hooks have run and it can be found.
   * @throws ProviderError INVALID_PROVIDER, PROVIDER_EXISTS, PROVIDER_HOOK_FAILED (nothing is left of it then)
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
    const label = `the ${role} provider "${provider.name}"`
    if (this.#registered.has(key))
      throw new ProviderError('PROVIDER_EXISTS', `${label} is there already; give this one another name`)
    const registered: Registered = {
      role,
      provider,
      schema: this.#schemaOf(label, provider),
      registeredAt: new Date(),
      making: 0,
      made: new Set(),
      undos: [],
      standing: false,
      looking: undefined,
    }
    this.#registered.set(key, registered)
    try {
      await this.#runHooks(registered)
    } catch (error) {
      this.#registered.delete(key)
      await this.#undo(registered)
      throw new ProviderError(
        'PROVIDER_HOOK_FAILED',
        `${label} was not registered, since a hook failed: ${(error as Error)?.message ?? String(error)}`,
        {},
        { cause: error },
      )
    }
    registered.standing = true
    return this.#info(registered)
  }

  /** @throws ProviderError PROVIDER_NOT_FOUND, PROVIDER_IN_USE with the number of what it made and is not closed */
  async unregister(role: keyof Roles & string, name: string): Promise<void> {
    const registered = this.#standing(role, name)
    const instances = countOf(registered)
    if (instances > 0) {
      throw new ProviderError(
        'PROVIDER_IN_USE',
        `the ${role} provider "${name}" has ${instances} live instance${instances === 1 ? '' : 's'}; close them first`,
        { instances },
      )
    }
    this.#registered.delete(keyOf(role, name))
    if (this.#defaults.get(role) === registered) this.#defaults.delete(role)
    await this.#undo(registered)
  }

  /** Which is used where none is named. @throws ProviderError PROVIDER_NOT_FOUND */
  setDefault(role: keyof Roles & string, name: string): void {
    this.#defaults.set(role, this.#standing(role, name))
  }

  /**
   * Checks the configuration, then has the provider make a thing, which counts as in use until its `close` has settled.
   * How long that takes is the provider's own affair.
   * @param name null for the role's default
   * @throws ProviderError PROVIDER_NOT_FOUND, INVALID_PROVIDER_CONFIG with everything that is wrong, PROVIDER_FAILED; and what the provider throws
   */
  async create<Role extends keyof Roles & string>(
    role: Role,
    name: string | null,
    config: unknown,
    host: Roles[Role]['host'],
  ): Promise<Roles[Role]['made']> {
    const registered = this.#standing(role, name)
    const { provider, schema } = registered
    const label = `the ${role} provider "${provider.name}"`
    registered.making++
    try {
      const made = await provider.create(await checkProviderConfig(label, schema, config), host)
      this.#count(label, registered, made)
      return made
    } finally {
      registered.making--
    }
  }

  /** As `create` would, without making anything. @throws ProviderError PROVIDER_NOT_FOUND, INVALID_PROVIDER_CONFIG */
  async checkConfig(role: keyof Roles & string, name: string | null, config: unknown): Promise<void> {
    const { provider, schema } = this.#standing(role, name)
    await checkProviderConfig(`the ${role} provider "${provider.name}"`, schema, config)
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
          each.standing &&
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
    return registered?.standing === true ? this.#info(registered) : null
  }

  async isHealthy(role: string, name: string): Promise<boolean | null> {
    const registered = this.#registered.get(keyOf(role, name))
    if (registered?.standing !== true || registered.provider.health === undefined || registered.made.size === 0)
      return null
    registered.looking ??= this.#look(registered).finally(() => {
      registered.looking = undefined
    })
    return registered.looking
  }

  /** Takes back what hooks did, the last first. What providers made is theirs to close who had it made. */
  async close(): Promise<void> {
    const all = [...this.#registered.values()].reverse()
    this.#registered.clear()
    this.#defaults.clear()
    for (const registered of all) await this.#undo(registered)
  }

  async #runHooks(registered: Registered): Promise<void> {
    const { provider, undos } = registered
    const info = this.#info(registered)
    for (const hook of [() => provider.onRegister?.(), ...[...this.#hooks].map((each) => () => each(info))]) {
      const running = Promise.resolve().then(hook)
      // One that is late is taken back when it has done, whatever it was, after all.
      const giveUp = (error: unknown) => {
        running.then((undo) => (typeof undo === 'function' ? undo() : undefined)).catch(() => {})
        throw error
      }
      const undo = await withinDeadline(this.#options.hookMs ?? HOOK_MS, () => running, { what: 'The hook' }).catch(
        giveUp,
      )
      if (typeof undo === 'function') undos.push(undo)
    }
  }

  async #undo({ role, provider, undos }: Registered): Promise<void> {
    for (const undo of undos.splice(0).reverse()) {
      try {
        await withinDeadline(this.#options.hookMs ?? HOOK_MS, () => undo(), { what: 'Undoing the hook' })
      } catch (error) {
        this.#options.failed?.(
          `what a hook of the ${role} provider "${provider.name}" did could not be taken back`,
          error,
        )
      }
    }
  }

  async #look({ role, provider, made }: Registered): Promise<boolean> {
    try {
      return (
        (await withinDeadline(this.#options.healthMs ?? HEALTH_MS, (signal) => provider.health!([...made], signal), {
          what: 'The health check',
        })) === true
      )
    } catch (error) {
      this.#options.failed?.(`the ${role} provider "${provider.name}" cannot tell whether it works`, error)
      return false
    }
  }

  #count(label: string, { made }: Registered, thing: Closable): void {
    if (typeof thing?.close !== 'function')
      throw new ProviderError('PROVIDER_FAILED', `${label} made something that has no "close"`)
    if (this.#everMade.has(thing))
      throw new ProviderError(
        'PROVIDER_FAILED',
        `${label} made the same thing twice: nobody could tell who has closed it`,
      )
    const close = thing.close
    let closing: Promise<void> | undefined
    const counted = () =>
      (closing ??= Promise.resolve()
        .then(() => close.call(thing))
        .finally(() => made.delete(thing)))
    // On the thing itself: a proxy or an heir would not reach its private fields.
    if (
      !Reflect.defineProperty(thing, 'close', { value: counted, enumerable: true, configurable: true, writable: true })
    ) {
      throw new ProviderError(
        'PROVIDER_FAILED',
        `${label} made something that is frozen: its "close" cannot be counted`,
      )
    }
    this.#everMade.add(thing)
    made.add(thing)
  }

  #schemaOf(label: string, { configSchema }: Provider): StandardSchema {
    if (isStandardSchema(configSchema)) return configSchema
    try {
      return this.#options.compileJsonSchema(configSchema as JsonSchema)
    } catch (error) {
      throw new ProviderError(
        'INVALID_PROVIDER',
        `${label} cannot be registered: its "configSchema" is neither a Standard Schema nor a JSON Schema: ${(error as Error).message}`,
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
        `there is no role ${JSON.stringify(role)}; those are ${roles.join(', ')}`,
      )
  }

  #standing(role: string, name: string | null): Registered {
    this.#checkRole(role)
    const registered = name === null ? this.#defaults.get(role) : this.#registered.get(keyOf(role, name))
    if (registered?.standing === true) return registered
    const names = this.find({ role })
      .map((each) => each.name)
      .join(', ')
    const what = name === null ? `a default among the ${role} providers` : `a ${role} provider "${name}"`
    throw new ProviderError('PROVIDER_NOT_FOUND', `there is not ${what}; registered are ${names || 'none'}`)
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
