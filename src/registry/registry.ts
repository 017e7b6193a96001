import type { Steps } from '../core/algorithms/steps.js'
import type { Criteria } from '../core/criteria/criteria.js'
import type { ExtractReferences } from '../core/dependency/reference.js'
import type { EntryRevision } from '../core/entry/entry.js'
import type { EntryId } from '../core/entry/entry-id.js'
import type { Sealed, UnsealedContent } from '../core/entry/seal-content.js'
import type { Warning } from '../core/errors/warning.js'
import type { Tag } from '../core/history/tag.js'
import type { Head } from '../core/history/version.js'
import type { PathStep } from '../core/history/version-tree.js'
import type { Operation } from '../core/ordering/operation.js'
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
import type { ApplyChangesetInput, ApplyVersionInput, RevertVersionInput, WriteContext } from './writing/write-input.js'

export interface SetTagInput {
  readonly name: string
  readonly version: number
  /** By default it stays unchanged. For a new tag the default is false. */
  readonly movable?: boolean | null
  /** Refuses unless the tag is on this version. */
  readonly expectedVersion?: number | null
}

/** The registry. Every floor above this one uses it through this interface. */
export interface Registry {
  /** The store, for reads that need no decision of the registry. */
  readonly history: History
  /** Live events of all gateways. */
  readonly bus: EventBus
  /** GraphQL clients that are participants. */
  readonly clients: ClientParticipants
  /** Instances of entries that are in use. */
  readonly instances: EntryInstances

  /** Returns a head at least as new as every write that any gateway acknowledged before the call. Concurrent calls share one read-index query. */
  head(): Promise<Head>
  /**
   * Returns entries at the head as `history.entries` does. They come from the head cache if the store has none of its
   * own.
   */
  entriesAtHead(ids: readonly EntryId[]): Promise<ReadonlyMap<EntryId, EntryRevision>>
  /**
   * Reads one entry as `entriesAtHead` does, but with callbacks, which saves about 10 µs. Callbacks must not throw.
   * @param onResult - receives a mark that identifies the cached state of the entry, or null if it was not cached before
   */
  entryAtHead(
    id: EntryId,
    onResult: (entry: EntryRevision | null, mark: number | null) => void,
    onError: (error: unknown) => void,
  ): void
  /**
   * Whether an entry is still in the state that `mark` identifies. Call it when a `head()` resolves: the answer is true
   * as of that head.
   */
  isMarkedAtHead(id: EntryId, mark: number): boolean
  /**
   * Resolves a version, revision, time or tag to a revision.
   * @throws RegistryError VERSION_NOT_FOUND, REVISION_NOT_FOUND, TAG_NOT_FOUND, COMPACTED, HISTORY_NOT_KEPT
   */
  revisionAt(at: At): Promise<number>
  /** Returns a page of matching entries, cached by criteria, order, page and revision. */
  findEntries(criteria: Criteria, order: EntryOrder, page: Page<EntryPosition>, at: ReadAt): Promise<EntryPage>
  countEntries(criteria: Criteria, at: ReadAt): Promise<number>
  /** Hits and misses of the finder's cache since the start, and its size. */
  finderCache(): FinderCache
  /** @throws RegistryError VERSION_NOT_FOUND */
  path(from: number, to: number): Promise<readonly PathStep[]>
  /**
   * Returns the operations that lead from one revision's state to another's, in dependency order. Both revisions must be
   * readable (`revisionAt`).
   */
  delta(from: number, to: number): Promise<readonly Operation[]>
  /** Extracts the references in one entry's content by the configured patterns, each place once. */
  readonly references: ExtractReferences
  /**
   * Walks the dependencies or dependents of an entry at a revision, up to `depth` references away. Null if there is no such entry.
   * @throws RegistryError BAD_USER_INPUT if the depth is not 0 to 100, TOO_LARGE
   */
  dependencyGraph(
    root: EntryId,
    depth: number,
    direction: DependencyDirection,
    revision: number,
  ): Promise<DependencyGraph | null>
  /**
   * Returns warnings about a changeset that was or could be applied. Its time is proportional to the changeset, so call
   * it only on request.
   */
  warningsOf(outcome: Extract<CommitOutcome, { type: 'applied' }>, signal?: AbortSignal): Promise<readonly Warning[]>
  /** Checks content by the registry's limits and seals it as a write would, without writing. */
  sealContent(content: UnsealedContent): Steps<Sealed>

  applyChangeset(input: ApplyChangesetInput, context: WriteContext): Promise<CommitOutcome>
  applyVersion(input: ApplyVersionInput, context: WriteContext): Promise<CommitOutcome>
  /**
   * Applies the inverse of a version's changeset as a new changeset. Each entry that has changed since is a CONFLICT.
   */
  revertVersion(input: RevertVersionInput, context: WriteContext): Promise<CommitOutcome>
  /** @throws RegistryError as `HistoryTagger.setTag` does, and BAD_USER_INPUT if the name is not valid */
  setTag(input: SetTagInput, context: WriteContext): Promise<Tag>
  /** @throws RegistryError TAG_NOT_FOUND, TAG_FIXED */
  deleteTag(name: string, force: boolean): Promise<Tag>

  /**
   * Squashes the history before a revision and returns the amounts that it removed.
   * @throws RegistryError as `HistoryCompactor.compact` does
   */
  compact(request: CompactRequest): Promise<Compaction>

  /**
   * Follows the changes that match (SPEC 5). Nothing is read or buffered until the caller requests the next batch.
   * @throws RegistryError INVALID_CURSOR, COMPACTED
   */
  follow(input: FollowInput): AsyncIterableIterator<ChangeBatch>
  /** Yields the entry now and after each change, or null while it does not exist. */
  followEntry(id: EntryId, signal: AbortSignal, place?: PositionTracker): AsyncIterableIterator<EntryRevision | null>

  close(): Promise<void>
}
