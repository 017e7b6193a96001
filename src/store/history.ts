import type { Change } from '../core/change.js'
import type { CompileRegex, Criteria } from '../core/criteria/criteria.js'
import type { ExtractReferences, ReferenceTarget } from '../core/dependency.js'
import type { EntryId } from '../core/entry-id.js'
import type { EntryRevision } from '../core/entry.js'
import type { Problem } from '../core/errors.js'
import type { Operation, SubmittedOperation } from '../core/operation.js'
import type { Tag } from '../core/tag.js'
import type { Head, Transition, Version } from '../core/version.js'
import type { Exchange } from './exchange.js'
import type { Instances } from './instances.js'
import type { SourceRecords } from './source-records.js'
import type { TransactionJournal } from './transaction-journal.js'

/*
 * The specification of a store. Every backend gives the same answers; `test/store/history-contract.ts` is
 * this file as tests.
 *
 *   version tree        v0 ── v1 ── v2 ── v3            numbers name nodes
 *                              └─── v4                  v4 was applied after a rollback to v1
 *
 *   line of revisions   0    1    2    3    4    5      each is one transition of the head
 *   head at each        v0   v1   v2   v3   v1   v4     4 is the rollback: no version, but a revision
 *   v1's snapshot is revision 1: the FIRST at which it was the head
 */

/** Where a read is placed on the line of revisions. `head` is the latest as of the read's own instant. */
export type ReadAt = number | 'head'

export type EntryOrder = 'ID_ASC' | 'ID_DESC' | 'REVISION_ASC' | 'REVISION_DESC'

/** A place between entries in the order asked for: after (or before) this entry. */
export interface EntryPosition {
  readonly id: EntryId
  readonly revision: number
}

/** A window on a list: at most `limit` items after `after` and before `before`, from the front or the back. */
export interface Page<Position> {
  readonly limit: number
  readonly after: Position | null
  readonly before: Position | null
  /** True takes the last `limit` items of the window; they are still given in the list's order. */
  readonly fromEnd: boolean
}

export interface PageOf<Item> {
  readonly items: readonly Item[]
  /** Whether the window holds further items beyond those given, on the side that `limit` cut. */
  readonly hasMore: boolean
}

export interface EntryPage extends PageOf<EntryRevision> {
  /** The revision that the page was read at. */
  readonly revision: number
}

export interface NamespaceSummary {
  readonly name: string
  readonly entryCount: number
}

/** A place where an entry at the head refers to something. */
export interface ReferenceRow {
  readonly source: EntryId
  readonly path: string
  readonly reference: string
  readonly target: ReferenceTarget
}

/**
 * Reading. Nothing here takes a lock or waits for a writer. Each method is one consistent look; two calls
 * may see different heads, so a caller that needs one state passes a revision number.
 *
 * A revision above the head's, or below `oldestRevision`, must not reach these methods: `resolve` is where
 * a caller's `At` becomes a revision that can be read.
 */
export interface HistoryReader {
  /** Random at birth, the same for good: cursors carry it, so that another registry's are told apart. */
  readonly registryId: string
  /** False for `none`: only the head's state can be read. */
  readonly keepsHistory: boolean

  /** By which entries may be kept in memory; null where they are there already. */
  readonly headReader: HeadReader | null

  /** At least as new as every write acknowledged before the call, by any gateway. */
  head(): Promise<Head>
  /**
   * The lowest revision that can still be read; 0 unless history has been compacted (`none`: the head's). A read at a
   * number below it throws COMPACTED, also where it was compacted while it was being read.
   */
  oldestRevision(): Promise<number>
  /** Number of entries at a revision. */
  entryCount(at: ReadAt): Promise<number>

  /** The last revision whose transition is not later than `time`; 0 before the first. */
  revisionAtTime(time: Date): Promise<number>

  /** Entries as they stood; ids without an entry there are left out. One statement however many ids. */
  entries(ids: readonly EntryId[], at: ReadAt): Promise<Map<EntryId, EntryRevision>>
  /** The contents that these revisions gave these entries, keyed `r<revision>/<id>`; left out are those that gave none, and what was compacted away. */
  entryRevisions(keys: readonly EntryRevisionKey[]): Promise<Map<string, EntryRevision>>
  /** Entries that match, in order. `EVERYTHING` for all. @throws RegistryError TIMEOUT */
  findEntries(criteria: Criteria, order: EntryOrder, page: Page<EntryPosition>, at: ReadAt): Promise<EntryPage>
  /** How many match. @throws RegistryError TIMEOUT */
  countEntries(criteria: Criteria, at: ReadAt): Promise<number>
  /** Namespaces that hold entries, by code point. */
  namespaces(at: ReadAt): Promise<readonly NamespaceSummary[]>

  /** Every content each entry has had and that is kept, newest first, the same page of each. One statement however many ids. */
  entryHistories(ids: readonly EntryId[], page: Page<number>): Promise<Map<EntryId, PageOf<EntryRevision>>>
  /** Number of contents each entry has had. */
  entryHistoryCounts(ids: readonly EntryId[]): Promise<Map<EntryId, number>>

  /** Unknown numbers are left out. */
  versions(numbers: readonly number[]): Promise<Map<number, Version>>
  /** Ascending; positions are version numbers. */
  versionPage(page: Page<number>): Promise<PageOf<Version>>
  versionCount(): Promise<number>
  /** Children of each version, ascending; a version without any maps to []. */
  children(numbers: readonly number[]): Promise<Map<number, readonly Version[]>>
  /** From the version itself up to v0. @throws RegistryError VERSION_NOT_FOUND */
  lineage(version: number): Promise<readonly number[]>

  /** Unknown revisions (0 too) are left out. */
  transitions(revisions: readonly number[]): Promise<Map<number, Transition>>
  /** Ascending; positions are revisions. */
  transitionPage(page: Page<number>): Promise<PageOf<Transition>>
  transitionCount(): Promise<number>

  /** The changes of these revisions, the same page of each; positions are `Change.position`. Revisions compacted away are left out. */
  changesOf(revisions: readonly number[], page: Page<number>): Promise<Map<number, PageOf<Change>>>
  /**
   * The log after a place in it, ascending by (revision, position), `limit` changes at most, and which
   * transitions the changes lie in, those without any change included. `upTo` is how far the log was read:
   * everything after `after` up to it has been given. Fewer changes are given where they are large.
   * @throws RegistryError COMPACTED where `after` lies below `oldestRevision`
   */
  log(after: LogPosition, limit: number): Promise<LogPage>

  /** What happened in a namespace, newest first, as far back as the log goes; a place is that of a change in the log. */
  namespaceChanges(namespace: string, page: Page<LogPosition>): Promise<PageOf<Change>>
  namespaceChangeCount(namespace: string): Promise<number>

  /** Names without a tag are left out. */
  tags(names: readonly string[]): Promise<Map<string, Tag>>
  /** By name, by code point; positions are names. */
  tagPage(page: Page<string>): Promise<PageOf<Tag>>
  tagCount(): Promise<number>
  /** Tags on each version, by name; a version without any maps to []. */
  tagsOf(versions: readonly number[]): Promise<Map<number, readonly Tag[]>>

  /**
   * The fewest operations that lead from one revision's state to another's, in dependency order (SPEC 3).
   * Costs what changed between the two, not what the registry holds.
   */
  delta(from: number, to: number): Promise<readonly Operation[]>

  /** References at the head that name one of these entries, directly, by namespace or by group. */
  dependents(ids: readonly EntryId[]): Promise<Map<EntryId, readonly ReferenceRow[]>>
  /**
   * References at the head that name exactly one of these targets, by target, then by source and place, `limit` at
   * most; only of sources that have not changed after this revision.
   */
  referencesTo(targets: readonly ReferenceTarget[], unchangedSince: number, limit: number): Promise<readonly ReferenceRow[]>
  /** Ids that changed after a revision; null where the log holds more than `limit` changes after it. */
  changedSince(revision: number, limit: number): Promise<readonly EntryId[] | null>
  /** Entries at the head, by the group (an element of the array `meta.groups`) they are in. */
  entriesInGroups(groups: readonly string[]): Promise<Map<string, readonly EntryRevision[]>>
  /** Entries at the head, by namespace, by id. */
  entriesInNamespaces(namespaces: readonly string[]): Promise<Map<string, readonly EntryRevision[]>>
}

/**
 * Looks at the head by which whoever keeps entries in memory knows what is still true of them: each tells the
 * revision that it is of, which is at least that of every write acknowledged before it began.
 */
export interface HeadReader {
  /**
   * Where the head is, and which entries changed after a revision: as they stand now, or null where that is not told
   * (they are gone, or large, or among many). `changed` is null where there are more than `limit` changes, or not all are known any more.
   */
  look(since: number, limit: number): Promise<HeadLook>
  /** Entries as they stand, as `HistoryReader.entries` gives them. */
  entries(ids: readonly EntryId[]): Promise<HeadEntries>
}

export interface HeadLook {
  readonly head: Head
  readonly changed: ReadonlyMap<EntryId, EntryRevision | null> | null
}

export interface HeadEntries {
  readonly revision: number
  readonly entries: ReadonlyMap<EntryId, EntryRevision>
}

export interface EntryRevisionKey {
  readonly id: EntryId
  readonly revision: number
}

export function entryRevisionKey(key: EntryRevisionKey): string {
  return `r${key.revision}/${key.id}`
}

/** A place in the log: everything up to and including this position of this revision lies before it. */
export interface LogPosition {
  readonly revision: number
  /** `Infinity` stands after the whole revision. */
  readonly position: number
}

export interface LogPage {
  readonly transitions: readonly Transition[]
  readonly changes: readonly Change[]
  readonly upTo: LogPosition
  /** The head as of this read. `upTo.revision === head.revision` (and Infinity) where the log was read to its end. */
  readonly head: Head
}

/** One write that waits to be committed. */
export interface CommitRequest {
  /** Random: by it an outcome that was never heard can be looked up. */
  readonly id: string
  readonly author: string | null
  readonly message: string | null
  readonly idempotency: Idempotency | null
  readonly expectedHead: number | null
  readonly dryRun: boolean
  readonly action: ChangesetAction | VersionAction | RevertAction
  /**
   * What participants were asked about: of each entry that it touches the digest of its original, null where there
   * is none. Refused (`fellAway`) where it would now touch others or find other originals, or where the journal no
   * longer has this gateway as the transaction's owner.
   */
  readonly offered?: ReadonlyMap<EntryId, string | null>
  /** Nobody seems to take part in transactions: refused (`fellAway`) where a client, on whichever gateway, does. */
  readonly unattended?: boolean
}

export interface Idempotency {
  readonly key: string
  /** Of the request's whole input: the same key with another digest is a reuse. */
  readonly digest: string
}

export interface ChangesetAction {
  readonly type: 'changeset'
  readonly operations: readonly SubmittedOperation[]
  readonly base: number | null
  /** Found before any state was looked at; with one of them the changeset is refused, whatever the state. */
  readonly problems: readonly Problem[]
}

export interface VersionAction {
  readonly type: 'version'
  readonly version: number
  /** Even where it deletes entries with live instances. */
  readonly force?: boolean
}

/** The inverse of one version's changeset, as a changeset of its own on top of the head. */
export interface RevertAction {
  readonly type: 'revert'
  readonly version: number
  /** As a `VersionAction`'s. */
  readonly force?: boolean
}

export type CommitOutcome =
  | {
      readonly type: 'applied'
      /** The head afterwards; on a dry run the head as it is. */
      readonly head: Head
      /** The transition it made; null on a dry run and where nothing was to be done. */
      readonly revision: number | null
      /** What was changed, or on a dry run would have been, in order. */
      readonly delta: readonly Operation[]
      readonly dryRun: boolean
      readonly replayed: boolean
      /** Of a replayed one: what it changed has been compacted away since, and `delta` does not tell it. */
      readonly compacted?: true
    }
  | {
      readonly type: 'refused'
      readonly problems: readonly Problem[]
      /**
       * Of an `offered` request: the registry has moved on from what was offered, or another gateway has ended it.
       * Of an `unattended` one: somebody takes part.
       */
      readonly fellAway?: 'moved' | 'overtaken' | 'attended'
    }

/** Writing. */
export interface HistoryWriter {
  /**
   * Commits what waits, in order, as consecutive transitions of one durable step: each request is checked
   * against the state the ones before it left, and has an outcome of its own; a refused one takes no number
   * and changes nothing. Either all outcomes stand, or the call throws and none does.
   * @throws RegistryError UNAVAILABLE (nothing was committed) or OUTCOME_UNKNOWN (it may have been)
   */
  commit(requests: readonly CommitRequest[]): Promise<readonly CommitOutcome[]>
}

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
  | 'version' | 'transition' | 'changeset' | 'change' | 'head' | 'entry_name' | 'reference' | 'head_pointer' | 'tag' | 'baseline'

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

export interface History extends HistoryReader, HistoryWriter, HistoryTagger, HistoryCompactor, HistoryWatcher, HistoryVerifier {
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
  /** Told what went wrong in the background, where no call is there to fail. */
  readonly onFault?: (what: string, error: unknown) => void
}
