import type { Criteria } from '../core/criteria/criteria.js'
import type { Reference } from '../core/dependency/reference.js'
import type { EntryRevision, SealedContent } from '../core/entry/entry.js'
import type { EntryId } from '../core/entry/entry-id.js'
import type { UnsealedContent } from '../core/entry/seal-content.js'
import type { ContentFault } from '../core/entry/value-faults.js'
import type { Tag } from '../core/history/tag.js'
import type { Head } from '../core/history/version.js'
import type { PathStep } from '../core/history/version-tree.js'
import type { Compaction, CompactRequest, History } from '../store/contract/history.js'
import type { EntryOrder, EntryPage, EntryPosition, Page, ReadAt } from '../store/contract/history-reader.js'
import type { CommitOutcome } from '../store/contract/history-writer.js'
import type { EventBus } from './events/event-bus.js'
import type { ChangeBatch, FollowInput } from './following/follow-input.js'
import type { PositionTracker } from './following/stream-position.js'
import type { EntryInstances } from './instances/entry-instances.js'
import type { ClientParticipants } from './participants/client-participants.js'
import type { DependencyDirection, DependencyGraph } from './reading/dependency-graph.js'
import type { FinderCache } from './reading/finder.js'
import type { At } from './reading/resolve-revision.js'
import type { Warning } from './writing/changeset-warnings.js'
import type { ApplyChangesetInput, ApplyVersionInput, RevertVersionInput, WriteContext } from './writing/write-input.js'

export interface SetTagInput {
  readonly name: string
  readonly version: number
  /** Left out, it stays as it is; a new tag is fixed then. */
  readonly movable?: boolean | null
  /** Refuse unless the tag stands on this version. */
  readonly expectedVersion?: number | null
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
  entryAtHead(
    id: EntryId,
    told: (entry: EntryRevision | null, mark: number | null) => void,
    failed: (error: unknown) => void,
  ): void
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
  dependencyGraph(
    root: EntryId,
    depth: number,
    direction: DependencyDirection,
    revision: number,
  ): Promise<DependencyGraph | null>
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
  followEntry(id: EntryId, signal: AbortSignal, place?: PositionTracker): AsyncIterableIterator<EntryRevision | null>

  close(): Promise<void>
}
