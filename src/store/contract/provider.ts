/*
 * What can be plugged in says so by a provider: stores, what reads sources, buses. The built-in ones do so like any
 * other. This is only the form; the registry that keeps them is `src/registry/plugins/providers.ts`.
 */

/** One thing that is wrong with a configuration. */
export interface ConfigIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Standard Schema, version 1 (https://standardschema.dev): what zod, valibot, arktype and others give. */
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

/** A JSON Schema as plain data, for who has no library at hand. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a provider makes is in use until it is closed. */
export interface Closable {
  close(): Promise<void>
}

/** Calls off what a hook has done; null where there is nothing to call off. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook without a return statement returns void
export type Undo = (() => unknown) | null | undefined | void

/**
 * Something that can be plugged in.
 * @typeParam Config what `configSchema` lets through
 * @typeParam Made what it makes: by its role, e.g. a `History` or a `SourceReader`
 * @typeParam Host what its role gives it to work with, besides the configuration
 */
export interface Provider<Config = unknown, Made extends Closable = Closable, Host = unknown> {
  /** Unique within its role. Letters, digits, `-`, `_` and `.`, 64 at most, the first a letter or digit. */
  readonly name: string
  /** For people; the name when left out. */
  readonly displayName?: string
  /** Its own, whatever scheme it follows. */
  readonly version: string
  readonly description: string
  /** What it can do, in words that others may look for: `watch`, `http`. */
  readonly capabilities?: readonly string[]
  /** What a configuration is held against before anything is made. */
  readonly configSchema: StandardSchema<Config> | JsonSchema
  /** Makes a thing of its own each time. */
  create(config: Config, host: Host): Promise<Made> | Made
  /** Run as it is registered, before anybody can find it. Where it throws, it is not registered. */
  onRegister?(): Promise<Undo> | Undo
  /** Whether what it made works: false, or an error, says no. Left out, nothing is known. */
  health?(made: readonly Made[], signal: AbortSignal): Promise<boolean> | boolean
}
