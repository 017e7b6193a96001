import type { Provider } from '../../store/contract/provider.js'
import type { SourceReader } from '../contract/source-reader.js'
import type { CheckedDefinitions } from '../forms/check-definitions.js'
import type { ParsingThread } from '../parsing/parsing-thread.js'

/** An entry as a reader has found it: nothing of it is checked yet. */
export interface UncheckedDefinition {
  /** Text `namespace:name` or `{ns, name}`. */
  readonly id: unknown
  readonly kind: unknown
  readonly meta?: unknown
  readonly data?: unknown
  /** From 1, where it stands in its location. */
  readonly line: number
}

/** What a provider of sources is given besides its configuration. */
export interface SourceHost {
  /** Absolute; paths in the configuration are relative to it. */
  readonly folder: string
  /** The largest entry that the registry takes. */
  readonly entryBytes: number
  /** Parses what may be made to take long; of all sources, and closed by none. */
  readonly thread: ParsingThread
  /** Tells whoever runs the gateway, such as that the system refuses to watch. */
  report(message: string): void
  /** Checks definitions as those of files are: entries that may be given, and failures. Of an id that is there twice the first counts. */
  give(location: string, definitions: readonly UncheckedDefinition[]): Promise<CheckedDefinitions>
}

/** Makes readers of sources: one for each source that names it. */
// biome-ignore lint/suspicious/noExplicitAny: a provider's config is of the provider's own type; its schema checks it
export type SourceProvider<Config = any> = Provider<Config, SourceReader, SourceHost>
