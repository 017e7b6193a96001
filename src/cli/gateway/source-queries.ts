import type { GatewayClient } from './gateway-client.js'
import type { Delta } from './gateway-queries.js'

export interface SourceFailure {
  readonly location: string
  readonly line: number | null
  readonly entryId: string | null
  readonly message: string
}

export interface SourceCounts {
  readonly status: string
  readonly total: number
  readonly loaded: number
  readonly failed: number
}

export interface Source extends SourceCounts {
  readonly name: string
  readonly provider: string
  readonly reloadCount: number
  readonly lastReload: string | null
  readonly failures: readonly SourceFailure[]
}

export interface SourceReport {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly failures: readonly SourceFailure[]
  readonly version: { readonly number: number } | null
  readonly source: SourceCounts
  /** Of a dry run. */
  readonly delta: Delta | null
}

export async function allSources(client: GatewayClient): Promise<readonly Source[]> {
  return (await client.run<{ sources: Source[] }>('sources', {})).sources
}

export async function sourceStatus(client: GatewayClient, name: string): Promise<SourceCounts> {
  return (await client.run<{ source: SourceCounts }>('source-status', { name })).source
}

export async function reloadSource(client: GatewayClient, name: string, dryRun: boolean): Promise<SourceReport> {
  return (await client.run<{ reloadSource: SourceReport }>('reload-source', { name, dryRun }, 'write')).reloadSource
}
