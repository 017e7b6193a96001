import type { Change } from '../core/change.js'
import type { Criteria } from '../core/criteria/criteria.js'
import type { Reference } from '../core/dependency.js'
import type { EntryId, SubmittedId } from '../core/entry-id.js'
import type { EntryRevision, SealedContent } from '../core/entry.js'
import type { OperationKind } from '../core/operation.js'
import type { UnsealedContent } from '../core/seal-content.js'
import type { Tag } from '../core/tag.js'
import type { Head } from '../core/version.js'
import type { ContentFault } from '../core/value-faults.js'
import type { PathStep } from '../core/version-tree.js'
import type { ClientParticipants } from './client-participants.js'
import type { EntryInstances } from './entry-instances.js'
import type { EventBus } from './event-bus.js'
import type { Compaction, CompactRequest, History } from '../store/history.js'
import type { EntryPage, EntryOrder, EntryPosition, Page, ReadAt } from '../store/history-reader.js'
import type { CommitOutcome } from '../store/history-writer.js'
import type { DependencyDirection, DependencyGraph } from './dependency-graph.js'
import type { FinderCache } from './finder.js'
import type { FollowPlace } from './stream-place.js'
import type { Warning } from './warnings-of.js'

/** Where a caller wants to read; exactly one is given. */
export type At =
  | { readonly version: number }
  | { readonly revision: number }
  | { readonly time: Date }
  | { readonly tag: string }

/** An operation as it was sent: only its JSON types are known to be right. */
export interface RawOperation {
  readonly kind: OperationKind
  readonly id: SubmittedId
  /** The rest is left out for DELETE. */
  readonly entryKind?: string
  readonly meta?: unknown
  readonly data?: unknown
  readonly ifRevision?: number | null
  /** Of a DELETE: even while instances of the entry live. */
  readonly force?: boolean
}

export interface ApplyChangesetInput {
  readonly operations: readonly RawOperation[]
  readonly base?: number | null
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
}

export interface ApplyVersionInput {
  readonly version: number
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
  /** Even where it deletes entries with live instances. */
  readonly force?: boolean
}

export interface RevertVersionInput {
  /** Whose changeset is to be taken back. */
  readonly version: number
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
  /** Even where it deletes entries with live instances. */
  readonly force?: boolean
}

export interface SetTagInput {
  readonly name: string
  readonly version: number
  /** Left out, it stays as it is; a new tag is fixed then. */
  readonly movable?: boolean | null
  /** Refuse unless the tag stands on this version. */
  readonly expectedVersion?: number | null
}

/** Who writes, and until when the answer is of use. */
export interface WriteContext {
  readonly author: string | null
}

export interface FollowInput {
  /** A batch's cursor; null begins at the head, or with `initial` at the beginning of the matching entries. */
  readonly after: string | null
  /** Null follows everything and hears of every revision, of empty ones too. */
  readonly criteria: Criteria | null
  readonly initial: boolean
  /** Ends the stream. */
  readonly signal: AbortSignal
  /** For who lets several clients share one stream. */
  readonly place?: FollowPlace
}

/** Changes of one revision, never of two. */
export interface ChangeBatch {
  readonly cursor: string
  readonly revision: number
  /** The head at that revision. */
  readonly version: number
  /** As the filter sees them: an update by which an entry begins to match is a CREATE, one by which it ceases a DELETE. */
  readonly changes: readonly Change[]
  /** False where more of the same revision follows. */
  readonly complete: boolean
  readonly synced: boolean
}

/** The registry as one thing: everything above this floor goes through it. */
export interface Registry {
  /** Reading that needs no decision of ours goes straight to the store. */
  readonly history: History
  /** What happens on any gateway, as it happens. */
  readonly bus: EventBus
  /** Clients that take part in transactions. */
  readonly clients: ClientParticipants
  /** Who uses which entry at the moment. */
  readonly instances: EntryInstances

  /** At least as new as every write acknowledged before the call, by any gateway. Calls at one time share one look. */
  head(): Promise<Head>
  /** As `history.entries` at the head; kept in memory where the store does not. */
  entriesAtHead(ids: readonly EntryId[]): Promise<ReadonlyMap<EntryId, EntryRevision>>
  /**
   * As `entriesAtHead`, of one, told instead of promised. Neither may throw.
   * @param told - With a mark that names the entry as it is kept in memory, where it was kept before
   */
  entryAtHead(id: EntryId, told: (entry: EntryRevision | null, mark: number | null) => void, failed: (error: unknown) => void): void
  /** Called when a `head()` has come: whether that entry stands at that head as it did when it was marked. */
  isMarkedAtHead(id: EntryId, mark: number): boolean
  /** The revision a caller means. @throws RegistryError VERSION_NOT_FOUND, REVISION_NOT_FOUND, TAG_NOT_FOUND, COMPACTED, HISTORY_NOT_KEPT */
  revisionAt(at: At): Promise<number>
  /** A page of matching entries, cached by (criteria, order, page, revision). */
  findEntries(criteria: Criteria, order: EntryOrder, page: Page<EntryPosition>, at: ReadAt): Promise<EntryPage>
  countEntries(criteria: Criteria, at: ReadAt): Promise<number>
  /** How often questions were answered from memory. */
  finderCache(): FinderCache
  /** @throws RegistryError VERSION_NOT_FOUND */
  path(from: number, to: number): Promise<readonly PathStep[]>
  /** References in one entry's content, by the configured patterns; each place once. */
  references(id: EntryId, content: SealedContent): readonly Reference[]
  /**
   * What an entry of that revision depends on or what depends on it, up to `depth` references away; null where there is no such entry.
   * @throws RegistryError BAD_USER_INPUT of a depth outside 0 to 100, TOO_LARGE
   */
  dependencyGraph(root: EntryId, depth: number, direction: DependencyDirection, revision: number): Promise<DependencyGraph | null>
  /** What is odd about a changeset that was or could be applied. Costs what it is long: asked for only by who wants to know. */
  warningsOf(outcome: Extract<CommitOutcome, { type: 'applied' }>): Promise<readonly Warning[]>
  /** Checks content by this registry's limits and seals it, as a write would; writes nothing. */
  sealContent(content: UnsealedContent): { content: SealedContent } | { faults: ContentFault[] }

  applyChangeset(input: ApplyChangesetInput, context: WriteContext): Promise<CommitOutcome>
  applyVersion(input: ApplyVersionInput, context: WriteContext): Promise<CommitOutcome>
  /** The inverse of one version's changeset as a new changeset; a CONFLICT for each entry that no longer holds what it left. */
  revertVersion(input: RevertVersionInput, context: WriteContext): Promise<CommitOutcome>
  /** @throws RegistryError as `HistoryTagger.setTag` does, and BAD_USER_INPUT for what can be no name */
  setTag(input: SetTagInput, context: WriteContext): Promise<Tag>
  /** @throws RegistryError TAG_NOT_FOUND, TAG_FIXED */
  deleteTag(name: string, force: boolean): Promise<Tag>

  /** Squashes what lies before a revision; the answer says what it took. @throws RegistryError as `HistoryCompactor.compact` does */
  compact(request: CompactRequest): Promise<Compaction>

  /** SPEC 5. Pull: nothing is read or buffered until it is asked for. @throws RegistryError INVALID_CURSOR, COMPACTED */
  follow(input: FollowInput): AsyncIterableIterator<ChangeBatch>
  /** The entry as it stands, then anew after each change; null while there is none. */
  followEntry(id: EntryId, signal: AbortSignal, place?: FollowPlace): AsyncIterableIterator<EntryRevision | null>

  close(): Promise<void>
}
