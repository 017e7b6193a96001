import type { Criteria } from '../../core/criteria/criteria.js'
import type { ReferenceTarget } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Change } from '../../core/history/change.js'
import type { Tag } from '../../core/history/tag.js'
import type { Head, Transition, Version } from '../../core/history/version.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { HeadReader } from './head-reader.js'

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
  readonly hasHistory: boolean

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
  referencesTo(
    targets: readonly ReferenceTarget[],
    unchangedSince: number,
    limit: number,
  ): Promise<readonly ReferenceRow[]>
  /** Ids that changed after a revision; null where the log holds more than `limit` changes after it. */
  changedSince(revision: number, limit: number): Promise<readonly EntryId[] | null>
  /** Entries at the head, by the group (an element of the array `meta.groups`) they are in. */
  entriesInGroups(groups: readonly string[]): Promise<Map<string, readonly EntryRevision[]>>
  /** Entries at the head, by namespace, by id. */
  entriesInNamespaces(namespaces: readonly string[]): Promise<Map<string, readonly EntryRevision[]>>
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
