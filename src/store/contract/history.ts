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
 * The specification of a store, with history-reader.ts and history-writer.ts. Every backend gives the same answers;
 * `test/store/contract/history-contract.ts` is the same as tests.
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
  /** Null leaves it as it is; a new tag is fixed then. */
  readonly movable: boolean | null
  /** Refuse unless the tag stands on this version. */
  readonly expectedVersion: number | null
  readonly author: string | null
}

/** Naming versions. A tag is no part of history: setting one makes no revision. */
export interface HistoryTagger {
  /**
   * Puts a tag on a version; where it stands as asked for already, nothing is changed.
   * @throws RegistryError VERSION_NOT_FOUND, COMPACTED, TAG_NOT_FOUND (a version was expected), TAG_MOVED, TAG_FIXED, HISTORY_NOT_KEPT
   */
  setTag(request: TagRequest): Promise<Tag>
  /** The tag as it was. `force` takes a fixed one away too. @throws RegistryError TAG_NOT_FOUND, TAG_FIXED */
  deleteTag(name: string, force: boolean): Promise<Tag>
}

export interface CompactRequest {
  /** From this revision on everything is kept; what lies before is squashed into the state that it began with. */
  readonly before: number
  /** Only tell. */
  readonly dryRun: boolean
}

/** What a compaction took away, or on a dry run would take. */
export interface Compaction {
  /** The lowest revision that can be read afterwards, on a dry run now. */
  readonly oldestRevision: number
  /** Versions that lost changeset and snapshot; v0, which has no changeset, is not counted. */
  readonly versions: number
  /** Changes that the log no longer tells. */
  readonly changes: number
}

/** Squashing what lies before a revision into a baseline. It moves no head and makes no revision. */
export interface HistoryCompactor {
  /**
   * Where it is compacted so far already, nothing is done. Afterwards nothing below `before` can be read; the room is
   * given back in the background, also by other gateways and after a crash.
   * @throws RegistryError BAD_USER_INPUT, REVISION_NOT_FOUND, PINNED_BY_TAG, HISTORY_DAMAGED, HISTORY_NOT_KEPT
   */
  compact(request: CompactRequest): Promise<Compaction>
}

/** Calls back after a head movement by any gateway may have happened: a hint to read the log, it carries nothing. */
export interface HistoryWatcher {
  onAdvance(listener: () => void): () => void
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

/** One thing in stored history that is not as it was written. */
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
   * Rebuilds every version's state from v0, or from the baseline, by the changesets of its lineage and holds it against
   * the stored state; holds the digest chain, every content's digest, the head table and the indexes against the log.
   * `progress` hears (done, of) in versions.
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
  /** Which backend this is. */
  readonly backend: Backend
  /** How gateways over this history reach each other; closed with it. */
  readonly exchange: Exchange
  /** Of transactions that participants take part in. */
  readonly journal: TransactionJournal
  /** Of entries: who uses them at the moment. */
  readonly instances: Instances
  /** What sources have given, and who reads them. */
  readonly sources: SourceRecords
  /** Can it serve now? Settles within a second or two, never throws. */
  isReady(): Promise<boolean>
  /** Finishes what is under way and lets go of everything. */
  close(): Promise<void>
}

export const BACKENDS = ['postgres', 'embedded', 'memory', 'none'] as const
export type Backend = (typeof BACKENDS)[number]

/** What every backend is given: the parts of the meaning that are configurable, and the clock's stand-in for tests. */
export interface HistoryOptions {
  /** References in one entry's content, by the configured patterns. */
  readonly references: ExtractReferences
  /** Names the configured patterns; where it differs from what the store was indexed with, dependents are indexed anew. */
  readonly referencesFingerprint: string
  readonly compileRegex: CompileRegex
  /** Longest time that one read may take. */
  readonly readTimeoutMs: number
  /** Longest time that one commit may take, waiting for the lock included. */
  readonly commitTimeoutMs: number
  /** Whether a batch may be planned without reading the registry first. True by default; false only in benchmarks and tests. */
  readonly optimisticWrites?: boolean
  /** Told what went wrong in the background, where no call is there to fail. */
  readonly onFault?: (what: string, error: unknown) => void
}
