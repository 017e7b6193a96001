import type { CompileRegex } from '../../core/criteria/compiled-regex.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import type { Tag } from '../../core/history/tag.js'
import type { Exchange } from './exchange.js'
import type { HistoryReader } from './history-reader.js'
import type { HistoryWriter } from './history-writer.js'
import type { Instances } from './instances.js'
import type { SourceRecords } from './source-records.js'
import type { TransactionJournal } from './transaction-journal.js'

/*
 * The specification of a store, together with history-reader.ts and history-writer.ts. Every backend gives the same
 * answers: `test/store/contract/history-contract.ts` holds them as tests.
 *
 *   version tree        v0 ── v1 ── v2 ── v3            numbers name nodes
 *                              └─── v4                  v4 was applied after a rollback to v1
 *
 *   line of revisions   0    1    2    3    4    5      each is one transition of the head
 *   head at each        v0   v1   v2   v3   v1   v4     4 is the rollback: no version, but a revision
 *   v1's snapshot is revision 1: the FIRST at which it was the head
 */

export interface TagRequest {
  readonly name: string
  readonly version: number
  /** If null, an existing tag keeps its setting and a new tag is fixed. */
  readonly movable: boolean | null
  /** Refuses unless the tag is on this version. */
  readonly expectedVersion: number | null
  readonly author: string | null
}

/** Names versions. Tags are not part of history, so setting one makes no revision. */
export interface HistoryTagger {
  /**
   * Puts a tag on a version. Changes nothing if the tag is already as requested.
   * @throws RegistryError VERSION_NOT_FOUND, COMPACTED, TAG_NOT_FOUND (a version was expected), TAG_MOVED, TAG_FIXED, HISTORY_NOT_KEPT
   */
  setTag(request: TagRequest): Promise<Tag>
  /** Deletes a tag and returns it. `force` deletes a fixed tag too. @throws RegistryError TAG_NOT_FOUND, TAG_FIXED */
  deleteTag(name: string, force: boolean): Promise<Tag>
}

export interface CompactRequest {
  /** The first revision to retain. Everything before it is squashed into the state at it. */
  readonly before: number
  /** Reports what would be removed and changes nothing. */
  readonly dryRun: boolean
}

/** The result of a compaction: the amounts that it removed, or would remove in a dry run. */
export interface Compaction {
  /** The lowest revision that can be read after the compaction. In a dry run, the current one. */
  readonly oldestRevision: number
  /** Number of versions that lost changeset and snapshot, without v0, which has no changeset. */
  readonly versions: number
  /** Number of changes removed from the log. */
  readonly changes: number
}

/**
 * Squashes the revisions before another one into a baseline. Compaction does not move the head and makes no revision.
 */
export interface HistoryCompactor {
  /**
   * Makes everything below `before` unreadable. Does nothing if it already is. The space is freed in the background,
   * possibly by other gateways and after a crash.
   * @throws RegistryError BAD_USER_INPUT, REVISION_NOT_FOUND, PINNED_BY_TAG, HISTORY_DAMAGED, HISTORY_NOT_KEPT
   */
  compact(request: CompactRequest): Promise<Compaction>
}

/** Calls back when any gateway may have moved the head. The call is a hint to read the log and carries no data. */
export interface HistoryWatcher {
  onAdvance(listener: () => void): () => void
  /**
   * Calls back when the connection to the store was lost. The store may then continue another history, as after a
   * failover or a restore, so everything cached of it is dropped.
   */
  onConnectionLost(listener: () => void): () => void
}

export type CorruptionPart =
  | 'version'
  | 'transition'
  | 'changeset'
  | 'change'
  | 'head'
  | 'entry_name'
  | 'reference'
  | 'head_pointer'
  | 'tag'
  | 'baseline'

/** One stored row that differs from what was written. */
export interface Corruption {
  readonly part: CorruptionPart
  /** The row, e.g. `v7`, `r12`, `r12/app:db`. */
  readonly where: string
  readonly message: string
}

export interface Verification {
  readonly versions: number
  readonly revisions: number
  readonly changes: number
  readonly corruptions: readonly Corruption[]
}

export interface HistoryVerifier {
  /**
   * Rebuilds every version's state from v0, or from the baseline, by the changesets of its lineage and compares it with
   * the stored state. Also compares the digest chain, every content's digest, the head table and the indexes with the log.
   * @param progress - Called with the number of versions done and the total
   */
  verify(progress?: (done: number, of: number) => void): Promise<Verification>
}

export interface History
  extends HistoryReader,
    HistoryWriter,
    HistoryTagger,
    HistoryCompactor,
    HistoryWatcher,
    HistoryVerifier {
  readonly backend: Backend
  /** Messages between the gateways on this history; closed with it. */
  readonly exchange: Exchange
  /** Open transactions with participants. */
  readonly journal: TransactionJournal
  /** Leases of entries by clients. */
  readonly instances: Instances
  /** Records of sources: their entries, and the gateways that read them. */
  readonly sources: SourceRecords
  /** Whether the store can serve now. Settles within two seconds, never throws. */
  isReady(): Promise<boolean>
  /** Finishes calls in flight and releases all resources. */
  close(): Promise<void>
}

export const BACKENDS = ['postgres', 'embedded', 'memory', 'none'] as const
export type Backend = (typeof BACKENDS)[number]

/** Options of every backend. */
export interface HistoryOptions {
  /** Finds the references in an entry's content by the configured patterns. */
  readonly references: ExtractReferences
  /** Identifies the configured patterns. If it differs from the stored one, references are indexed again. */
  readonly referencesFingerprint: string
  readonly compileRegex: CompileRegex
  /** Time for one read, in milliseconds. */
  readonly readTimeoutMs: number
  /** Time for one commit in milliseconds, including the wait for the lock. */
  readonly commitTimeoutMs: number
  /** Whether a batch may be planned without reading the registry first. True by default; false only in benchmarks and tests. */
  readonly optimisticWrites?: boolean
  /** Called with errors of background work, which no caller would see. */
  readonly onFault?: (what: string, error: unknown) => void
}
