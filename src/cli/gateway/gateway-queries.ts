import type { EntryId } from '../../core/entry/entry-id.js'
import type { AtArgument } from '../input/parse-at.js'
import type { GatewayClient } from './gateway-client.js'
import {
  ApplyChangesetDocument,
  type ApplyChangesetMutation,
  type ApplyChangesetMutationVariables,
  ApplyVersionDocument,
  type ApplyVersionMutationVariables,
  CompactDocument,
  type CompactMutation,
  DeleteTagDocument,
  DeltaDocument,
  type DeltaQuery,
  EntryAtDocument,
  type EntryAtQuery,
  InstancesDocument,
  type InstancesQuery,
  RevertVersionDocument,
  type RevertVersionMutationVariables,
  SetTagDocument,
  type SetTagMutationVariables,
  SnapshotEntriesDocument,
  type SnapshotEntriesQuery,
  type SnapshotEntriesQueryVariables,
  SnapshotPlaceDocument,
  type SnapshotPlaceQuery,
  TagDocument,
  type TagQuery,
  TagsDocument,
  type TagsQuery,
  TransitionsDocument,
  type TransitionsQuery,
  VersionsDocument,
  type VersionsQuery,
} from './gateway-documents.js'

/** The most nodes that a gateway returns in one page. */
const PAGE_SIZE = 1000

/** An entry of a snapshot. It has meta and data only if the query asked for content. */
export type StoredEntry = Omit<SnapshotEntriesQuery['snapshot']['entries']['nodes'][number], 'entryId'> & {
  readonly entryId: EntryId
}
export type SnapshotPlace = SnapshotPlaceQuery['snapshot']

/** A write's outcome, and its two cases. */
export type WriteOutcome = ApplyChangesetMutation['applyChangeset']
export type AppliedOutcome = Extract<WriteOutcome, { __typename: 'Applied' }>
export type RefusedOutcome = Extract<WriteOutcome, { __typename: 'Refused' }>
export type RefusedProblem = RefusedOutcome['problems'][number]

export type ChangesetArgument = ApplyChangesetMutationVariables['input']
export type OperationArgument = ChangesetArgument['operations'][number]
export type VersionArgument = ApplyVersionMutationVariables['input'] & RevertVersionMutationVariables['input']

export type ShownTag = NonNullable<TagQuery['tag']>
export type LoggedVersion = VersionsQuery['versions']['nodes'][number]
export type LoggedTransition = TransitionsQuery['transitions']['nodes'][number]
type DeltaPage = DeltaQuery['delta']
/** A whole delta. */
export type StateDelta = Pick<DeltaPage, 'created' | 'updated' | 'deleted'> & {
  readonly operations: readonly Omit<DeltaPage['operations'][number], 'cursor'>[]
}

/** The pages of a list, as they arrive. */
export type Pages<Item> = AsyncGenerator<readonly Item[], void, undefined>

/** Resolves a place in the history to a revision, so that all reads of one command see the same state. */
export async function snapshotPlace(client: GatewayClient, at: AtArgument): Promise<SnapshotPlace> {
  return (await client.run(SnapshotPlaceDocument, { at })).snapshot
}

export interface SnapshotQuery extends Pick<SnapshotEntriesQueryVariables, 'where' | 'find'> {
  readonly revision: number
  readonly withContent: boolean
  /** By default all matching entries are returned. */
  readonly limit?: number
}

/** Matching entries of one revision by id, page by page. */
export async function* snapshotEntries(client: GatewayClient, query: SnapshotQuery): Pages<StoredEntry> {
  const { revision, where = null, find = null, withContent } = query
  let left = query.limit ?? Infinity
  let after: string | null = null
  while (left > 0) {
    const page: SnapshotEntriesQuery = await client.run(SnapshotEntriesDocument, {
      at: { revision },
      where,
      find,
      withContent,
      first: Math.min(PAGE_SIZE, left),
      after,
    })
    const { nodes, pageInfo } = page.snapshot.entries
    // The gateway returns every entryId in its normal form.
    yield nodes as readonly StoredEntry[]
    left -= nodes.length
    if (!pageInfo.hasNextPage) return
    after = pageInfo.endCursor
  }
}

/** One entry of a snapshot, or null. */
export async function entryAt(
  client: GatewayClient,
  id: string,
  at: AtArgument,
): Promise<EntryAtQuery['snapshot']['entry']> {
  return (await client.run(EntryAtDocument, { id, at })).snapshot.entry
}

/** The live instances of an entry; null if there is no such entry. */
export async function liveInstances(
  client: GatewayClient,
  id: string,
): Promise<NonNullable<InstancesQuery['entry']>['instances'] | null> {
  return (await client.run(InstancesDocument, { id })).entry?.instances ?? null
}

export async function applyChangeset(client: GatewayClient, input: ChangesetArgument): Promise<WriteOutcome> {
  return (await client.run(ApplyChangesetDocument, { input })).applyChangeset
}

export async function applyVersion(client: GatewayClient, input: VersionArgument): Promise<WriteOutcome> {
  return (await client.run(ApplyVersionDocument, { input })).applyVersion
}

/** Applies the inverse of one version's changeset, as a new version. */
export async function revertVersion(client: GatewayClient, input: VersionArgument): Promise<WriteOutcome> {
  return (await client.run(RevertVersionDocument, { input })).revertVersion
}

/** All tags by name, page by page. */
export async function* allTags(client: GatewayClient): Pages<ShownTag> {
  let after: string | null = null
  for (;;) {
    const { tags }: TagsQuery = await client.run(TagsDocument, { first: PAGE_SIZE, after })
    yield tags.nodes
    if (!tags.pageInfo.hasNextPage) return
    after = tags.pageInfo.endCursor
  }
}

/** One tag, or null. */
export async function tagNamed(client: GatewayClient, name: string): Promise<ShownTag | null> {
  return (await client.run(TagDocument, { name })).tag
}

export async function setTag(client: GatewayClient, input: SetTagMutationVariables['input']): Promise<ShownTag> {
  return (await client.run(SetTagDocument, { input })).setTag
}

/** Deletes a tag and returns it as it was. */
export async function deleteTag(client: GatewayClient, name: string, force: boolean): Promise<ShownTag> {
  return (await client.run(DeleteTagDocument, { name, force })).deleteTag
}

/** Compacts the history below a revision. Idempotent. */
export async function compactBefore(
  client: GatewayClient,
  before: number,
  dryRun: boolean,
): Promise<CompactMutation['compact']> {
  return (await client.run(CompactDocument, { before, dryRun })).compact
}

/** Versions in descending order, page by page. */
export function newestVersions(client: GatewayClient, limit?: number): Pages<LoggedVersion> {
  return newestFirst(async (page) => (await client.run(VersionsDocument, page)).versions, limit)
}

/** Transitions in descending order, page by page. */
export function newestTransitions(client: GatewayClient, limit?: number): Pages<LoggedTransition> {
  return newestFirst(async (page) => (await client.run(TransitionsDocument, page)).transitions, limit)
}

interface BackwardPage<Item> {
  readonly nodes: readonly Item[]
  readonly pageInfo: { readonly hasPreviousPage: boolean; readonly startCursor: string | null }
}

async function* newestFirst<Item>(
  read: (page: { last: number; before: string | null }) => Promise<BackwardPage<Item>>,
  limit = Infinity,
): Pages<Item> {
  let before: string | null = null
  let left = limit
  while (left > 0) {
    const { nodes, pageInfo }: BackwardPage<Item> = await read({ last: Math.min(PAGE_SIZE, left), before })
    yield [...nodes].reverse()
    left -= nodes.length
    if (!pageInfo.hasPreviousPage) return
    before = pageInfo.startCursor
  }
}

/** The operations that lead from the state at one revision to the state at another, read page by page. */
export async function deltaBetween(client: GatewayClient, from: number, to: number): Promise<StateDelta> {
  const operations: StateDelta['operations'][number][] = []
  let after: string | null = null
  for (;;) {
    const { delta }: DeltaQuery = await client.run(DeltaDocument, {
      from: { revision: from },
      to: { revision: to },
      after,
    })
    const { created, updated, deleted, truncated } = delta
    for (const { cursor, ...operation } of delta.operations) {
      after = cursor
      operations.push(operation)
    }
    if (!truncated) return { created, updated, deleted, operations }
  }
}
