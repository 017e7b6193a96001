import type { GatewayClient } from './gateway-client.js'
import {
  ReloadSourceDocument,
  type ReloadSourceMutation,
  SourceStatusDocument,
  type SourceStatusQuery,
  SourcesDocument,
  type SourcesQuery,
} from './gateway-documents.js'

export type ListedSource = SourcesQuery['sources'][number]
export type SourceReload = ReloadSourceMutation['reloadSource']
export type ListedFailure = ListedSource['failures'][number]

export async function allSources(client: GatewayClient): Promise<readonly ListedSource[]> {
  return (await client.run(SourcesDocument, {})).sources
}

/** The progress of one source; null if there is no such source. */
export async function sourceStatus(client: GatewayClient, name: string): Promise<SourceStatusQuery['source']> {
  return (await client.run(SourceStatusDocument, { name })).source
}

/** Reloads a source. A dry run only reports what the reload would change. `allowEmpty` allows it to delete everything. */
export async function reloadSource(
  client: GatewayClient,
  name: string,
  dryRun: boolean,
  allowEmpty: boolean,
): Promise<SourceReload> {
  return (await client.run(ReloadSourceDocument, { name, dryRun, allowEmpty })).reloadSource
}
