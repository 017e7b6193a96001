import type { EntryId } from '../../core/entry/entry-id.js'
import type { GatewayClient } from './gateway-client.js'
import {
  ReloadSourceDocument,
  type ReloadSourceMutation,
  SourceEntriesDocument,
  type SourceEntriesQuery,
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

/** The most entries that a gateway returns in one page. */
const PAGE_SIZE = 1000

/** Which of these entries a source owns, with the name of the source. */
export async function ownersOf(client: GatewayClient, ids: ReadonlySet<EntryId>): Promise<Map<EntryId, string>> {
  const owners = new Map<EntryId, string>()
  for (const { name } of await allSources(client)) {
    for await (const owned of ownedEntries(client, name)) {
      for (const id of owned) if (ids.has(id)) owners.set(id, name)
      if (owners.size === ids.size) return owners
    }
  }
  return owners
}

/** The ids of the entries that a source owns, page by page. */
async function* ownedEntries(client: GatewayClient, name: string): AsyncGenerator<readonly EntryId[], void, undefined> {
  let after: string | null = null
  for (;;) {
    const owned: SourceEntriesQuery = await client.run(SourceEntriesDocument, { name, first: PAGE_SIZE, after })
    if (owned.source === null) return
    const { nodes, pageInfo }: NonNullable<SourceEntriesQuery['source']>['entries'] = owned.source.entries
    // The gateway returns every entryId in its normal form.
    yield nodes.map(({ entryId }) => entryId as EntryId)
    if (!pageInfo.hasNextPage) return
    after = pageInfo.endCursor
  }
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
