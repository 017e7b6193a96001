import type { EntryId } from '../../core/entry/entry-id.js'
import type { Json, JsonObject } from '../../core/entry/json.js'
import type { TransitionKind } from '../../core/history/version.js'
import type { OperationKind } from '../../core/ordering/operation.js'
import type { AtArgument } from '../input/parse-at.js'
import type { GatewayClient } from './gateway-client.js'

/** Most that a gateway gives in one page. */
const PAGE = 1000

interface PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}

/** An entry as a snapshot holds it; meta and data only where they were asked for. */
export interface StoredEntry {
  readonly entryId: EntryId
  readonly kind: string
  readonly digest: string
  readonly revision: number
  readonly version: { readonly number: number }
  readonly meta?: JsonObject
  readonly data?: Json
}

export type StoredContent = StoredEntry & { readonly meta: JsonObject; readonly data: Json }

export interface SnapshotPlace {
  readonly revision: number
  readonly version: { readonly number: number }
  readonly entryCount: number
}

/** Which revision a place means: reads that belong together are then all pinned to it. */
export async function snapshotPlace(client: GatewayClient, at: AtArgument): Promise<SnapshotPlace> {
  return (await client.run<{ snapshot: SnapshotPlace }>('snapshot-place', { at })).snapshot
}

export interface SnapshotQuery {
  readonly revision: number
  readonly where?: JsonObject
  readonly find?: JsonObject
  readonly withContent: boolean
  /** At most this many; all where left out. */
  readonly limit?: number
}

/** A list as it arrives. */
export type Pages<Item> = AsyncGenerator<readonly Item[], void, undefined>

/** Matching entries of one revision by id, a page at a time. */
export async function* snapshotEntries(client: GatewayClient, query: SnapshotQuery): Pages<StoredEntry> {
  const { revision, where = null, find = null, withContent } = query
  let left = query.limit ?? Infinity
  let after: string | null = null
  while (left > 0) {
    const variables: Record<string, unknown> = {
      at: { revision },
      where,
      find,
      withContent,
      first: Math.min(PAGE, left),
      after,
    }
    const { snapshot }: { snapshot: { entries: { nodes: StoredEntry[]; pageInfo: PageInfo } } } = await client.run(
      'snapshot-entries',
      variables,
    )
    const { nodes, pageInfo } = snapshot.entries
    yield nodes
    left -= nodes.length
    if (!pageInfo.hasNextPage) return
    after = pageInfo.endCursor
  }
}

/** One entry as it stood; null where there was none. */
export async function entryAt(client: GatewayClient, id: string, at: AtArgument): Promise<StoredContent | null> {
  return (await client.run<{ snapshot: { entry: StoredContent | null } }>('entry-at', { id, at })).snapshot.entry
}

export interface Problem {
  readonly code: string
  readonly message: string
  readonly entryId: string | null
  readonly operation: number | null
  readonly participant: string | null
}

export interface DeltaCounts {
  readonly created: number
  readonly updated: number
  readonly deleted: number
}

export interface Applied {
  readonly __typename: 'Applied'
  readonly version: { readonly number: number }
  readonly transition: { readonly revision: number } | null
  readonly delta: DeltaCounts
  readonly dryRun: boolean
  readonly replayed: boolean
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
}

export interface Refused {
  readonly __typename: 'Refused'
  readonly message: string
  readonly problems: readonly Problem[]
}

/** The contract's `OperationInput`. */
export type OperationInput =
  | { readonly create: EntryInput }
  | { readonly update: EntryInput }
  | { readonly delete: { readonly id: string } }

export interface EntryInput {
  readonly id: string
  readonly kind: string
  readonly meta: JsonObject
  readonly data: Json
}

export interface ApplyChangesetInput {
  readonly operations: readonly OperationInput[]
  readonly base: number
  readonly message: string | null
  readonly dryRun: boolean
  readonly idempotencyKey: string
}

export async function applyChangeset(client: GatewayClient, input: ApplyChangesetInput): Promise<Applied | Refused> {
  return (await client.run<{ applyChangeset: Applied | Refused }>('apply-changeset', { input }, 'write')).applyChangeset
}

export interface ApplyVersionInput {
  readonly version: number
  readonly expectedHead: number | null
  readonly message: string | null
  readonly dryRun: boolean
  readonly idempotencyKey: string
}

export async function applyVersion(client: GatewayClient, input: ApplyVersionInput): Promise<Applied | Refused> {
  return (await client.run<{ applyVersion: Applied | Refused }>('apply-version', { input }, 'write')).applyVersion
}

/** Takes back what one version changed, as a new version. */
export async function revertVersion(client: GatewayClient, input: ApplyVersionInput): Promise<Applied | Refused> {
  return (await client.run<{ revertVersion: Applied | Refused }>('revert-version', { input }, 'write')).revertVersion
}

export interface Tag {
  readonly name: string
  readonly version: { readonly number: number }
  readonly movable: boolean
  readonly createdAt: string
  readonly author: string | null
}

/** All tags by name, a page at a time. */
export async function* allTags(client: GatewayClient): Pages<Tag> {
  let after: string | null = null
  for (;;) {
    const { tags }: { tags: { nodes: Tag[]; pageInfo: PageInfo } } = await client.run('tags', { first: PAGE, after })
    yield tags.nodes
    if (!tags.pageInfo.hasNextPage) return
    after = tags.pageInfo.endCursor
  }
}

/** Null where there is none. */
export async function tagNamed(client: GatewayClient, name: string): Promise<Tag | null> {
  return (await client.run<{ tag: Tag | null }>('tag', { name })).tag
}

export interface SetTagInput {
  readonly name: string
  readonly version: number
  readonly movable: boolean | null
  readonly expectedVersion: number | null
}

export async function setTag(client: GatewayClient, input: SetTagInput): Promise<Tag> {
  return (await client.run<{ setTag: Tag }>('set-tag', { input }, 'write')).setTag
}

/** The tag as it was. */
export async function deleteTag(client: GatewayClient, name: string, force: boolean): Promise<Tag> {
  return (await client.run<{ deleteTag: Tag }>('delete-tag', { name, force }, 'write')).deleteTag
}

export interface Compaction {
  readonly oldestRevision: number
  readonly versions: number
  readonly changes: number
}

/** Sent twice it does nothing the second time. */
export async function compactBefore(client: GatewayClient, before: number, dryRun: boolean): Promise<Compaction> {
  return (await client.run<{ compact: Compaction }>('compact', { before, dryRun }, 'write')).compact
}

export interface LoggedVersion {
  readonly number: number
  readonly previous: { readonly number: number } | null
  readonly isHead: boolean
  readonly author: string | null
  readonly message: string | null
  readonly createdAt: string
  readonly digest: string
  readonly changeset: DeltaCounts | null
}

export interface LoggedTransition {
  readonly revision: number
  readonly kind: TransitionKind
  readonly from: { readonly number: number }
  readonly to: { readonly number: number }
  readonly author: string | null
  readonly message: string | null
  readonly createdAt: string
}

/** Versions from the newest down, a page at a time. */
export function newestVersions(client: GatewayClient, limit = Infinity): Pages<LoggedVersion> {
  return newestFirst<LoggedVersion>(client, 'versions', limit)
}

/** Movements of the head from the newest down, a page at a time. */
export function newestTransitions(client: GatewayClient, limit = Infinity): Pages<LoggedTransition> {
  return newestFirst<LoggedTransition>(client, 'transitions', limit)
}

async function* newestFirst<Item>(client: GatewayClient, name: 'versions' | 'transitions', limit: number): Pages<Item> {
  let before: string | null = null
  let left = limit
  while (left > 0) {
    const variables: Record<string, unknown> = { last: Math.min(PAGE, left), before }
    const answer: Record<string, { nodes: Item[]; pageInfo: PageInfo }> = await client.run(name, variables)
    const { nodes, pageInfo } = answer[name]!
    yield [...nodes].reverse()
    left -= nodes.length
    if (!pageInfo.hasPreviousPage) return
    before = pageInfo.startCursor
  }
}

export interface DeltaContent {
  readonly kind: string
  readonly meta: JsonObject
  readonly data: Json
}

export interface Delta extends DeltaCounts {
  readonly operations: readonly {
    readonly kind: OperationKind
    readonly entryId: string
    readonly entry: DeltaContent | null
    readonly original: DeltaContent | null
  }[]
}

/** What leads from one revision's state to another's. */
export async function deltaBetween(client: GatewayClient, from: number, to: number): Promise<Delta> {
  return (await client.run<{ delta: Delta }>('delta', { from: { revision: from }, to: { revision: to } })).delta
}
