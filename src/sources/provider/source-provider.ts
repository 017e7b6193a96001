import type { Provider } from '../../store/contract/provider.js'
import type { SourceReader } from '../contract/source-reader.js'
import type { CheckedDefinitions } from '../forms/check-definitions.js'
import type { ParsingThread } from '../parsing/parsing-thread.js'

/** An entry as a reader found it, not yet checked. */
export interface UncheckedDefinition {
  /** Text `namespace:name` or `{ns, name}`. */
  readonly id: unknown
  readonly kind: unknown
  readonly meta?: unknown
  readonly data?: unknown
  /** Its line in the location, from 1. */
  readonly line: number
}

/** The services that a source provider receives besides its configuration. */
export interface SourceHost {
  /** Absolute path. Paths in the configuration are relative to it. */
  readonly folder: string
  /** Maximum size of an entry. */
  readonly entryBytes: number
  /** Parses texts that may take long. It is shared by all sources, and no source closes it. */
  readonly thread: ParsingThread
  /** Logs a message for the operator, for example that the system refuses to watch a folder. */
  report(message: string): void
  /** Checks definitions like those of files. If an id occurs twice, the first definition counts. */
  give(location: string, definitions: readonly UncheckedDefinition[]): Promise<CheckedDefinitions>
}

/** Creates a reader for each source that names this provider. */
// biome-ignore lint/suspicious/noExplicitAny: a provider's config is of the provider's own type; its schema checks it
export type SourceProvider<Config = any> = Provider<Config, SourceReader, SourceHost>
