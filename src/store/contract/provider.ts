/*
 * Stores, source readers and buses are plugged in as providers, the built-in ones too. This is the interface of a
 * provider; `src/registry/plugins/providers.ts` registers them.
 */

/** One problem of a configuration. */
export interface ConfigIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Standard Schema, version 1 (https://standardschema.dev), as zod, valibot, arktype and others implement it. */
export interface StandardSchema<Config = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): SchemaResult<Config> | Promise<SchemaResult<Config>>
    readonly types?: { readonly input: unknown; readonly output: Config } | undefined
  }
}

export type SchemaResult<Config> =
  | { readonly value: Config; readonly issues?: undefined }
  | { readonly issues: readonly ConfigIssue[] }

/** A JSON Schema as plain data, for plugins without a schema library. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The product of a provider. It counts as in use until it is closed. */
export interface Closable {
  close(): Promise<void>
}

/** Undoes the effect of a hook. Null if there is nothing to undo. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook without a return statement returns void
export type Undo = (() => unknown) | null | undefined | void

/**
 * A factory that can be plugged in.
 * @typeParam Config a configuration that `configSchema` accepts
 * @typeParam Made the product, which depends on the provider's role, such as a `History` or a `SourceReader`
 * @typeParam Host the services that the role passes to the provider besides the configuration
 */
export interface Provider<Config = unknown, Made extends Closable = Closable, Host = unknown> {
  /** Unique within its role. Letters, digits, `-`, `_` and `.`, 64 at most, the first a letter or digit. */
  readonly name: string
  /** The name to show to people; `name` by default. */
  readonly displayName?: string
  /** The provider's own version, in any scheme. */
  readonly version: string
  readonly description: string
  /** Capabilities that others can search for: `watch`, `http`. */
  readonly capabilities?: readonly string[]
  /** The schema that validates a configuration before anything is created. */
  readonly configSchema: StandardSchema<Config> | JsonSchema
  /** Creates a new product with each call. */
  create(config: Config, host: Host): Promise<Made> | Made
  /** Runs before the registration becomes visible. If it throws, the provider is not registered. */
  onRegister?(): Promise<Undo> | Undo
  /** Whether the products work. False or an error means no. Unknown if the function is missing. */
  health?(made: readonly Made[], signal: AbortSignal): Promise<boolean> | boolean
}
