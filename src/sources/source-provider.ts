import type { Provider } from '../store/provider.js'
import type { SourceReader } from './source-reader.js'

/** What a provider of sources is given besides its configuration. */
export interface SourceHost {
  /** Absolute; paths in the configuration are relative to it. */
  readonly folder: string
}

/** Makes readers of sources: one for each source that names it. */
export type SourceProvider<Config = any> = Provider<Config, SourceReader, SourceHost>
