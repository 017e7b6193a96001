import type { Criteria } from '../../core/criteria/criteria.js'
import type { ReferenceTarget } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Change } from '../../core/history/change.js'
import type { Tag } from '../../core/history/tag.js'
import type { Head, Transition, Version } from '../../core/history/version.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { HeadReader } from './head-reader.js'

/** The revision of a read. `head` is the latest revision at the instant of the read. */
export type ReadAt = number | 'head'

export type EntryOrder = 'ID_ASC' | 'ID_DESC' | 'REVISION_ASC' | 'REVISION_DESC'

/** A position in a list of entries: after (or before) this entry. */
export interface EntryPosition {
  readonly id: EntryId
  readonly revision: number
}

/** A page of a list: at most `limit` items after `after` and before `before`. */
export interface Page<Position> {
  readonly limit: number
  readonly after: Position | null
  readonly before: Position | null
  /** Returns the last `limit` items between the positions, still in the list's order. */
  readonly fromEnd: boolean
}

/** A page of a list that is only read forward. */
export type ForwardPage<Position> = Pick<Page<Position>, 'limit' | 'after'>

/** The place of a reference among all references to one entry. */
export interface ReferencePosition {
  readonly source: EntryId
  readonly path: string
}

export interface PageOf<Item> {
  readonly items: readonly Item[]
  /** Whether there are more items between the positions, on the side that `limit` cut. */
  readonly hasMore: boolean
}

export interface EntryPage extends PageOf<EntryRevision> {
  /** The revision at which the page was read. */
  readonly revision: number
}

export interface NamespaceSummary {
  readonly name: string
  readonly entryCount: number
}

/** One reference of an entry at the head. */
export interface ReferenceRow {
  readonly source: EntryId
  readonly path: string
  readonly reference: string
  readonly target: ReferenceTarget
}

/**
 * Reads of history. No read takes a lock or waits for a writer. Each method reads one consistent state. Two calls may
 * see different heads, so a caller that needs one state passes a revision number.
 *
 * Revisions above the head's or below `oldestRevision` must not reach these methods: `resolveRevision` turns a client's
 * `At` into a revision that can be read.
 */
export interface HistoryReader {
  /** Random and constant. Cursors contain it, so that a cursor of another registry is recognized. */
  readonly registryId: string
  /** False for the backend `none`, where only the head's state can be read. */
  readonly hasHistory: boolean

  /** Read-index queries for a cache of entries; null if entries are in memory already. */
  readonly headReader: HeadReader | null

  /** The head, including every write that any gateway acknowledged before the call. */
  head(): Promise<Head>
  /**
   * The lowest revision that can be read. It is 0 unless history has been compacted, and the head's for `none`. A read
   * below it throws COMPACTED, even if the compaction happens during the read.
   */
  oldestRevision(): Promise<number>
  /** Number of entries at a revision. */
  entryCount(at: ReadAt): Promise<number>

  /** The last revision whose transition is not later than `time`; 0 if there is none. */
  revisionAtTime(time: Date): Promise<number>

  /** Entries at a revision; ids without an entry are left out. One statement for any number of ids. */
  entries(ids: readonly EntryId[], at: ReadAt): Promise<Map<EntryId, EntryRevision>>
  /**
   * The contents that these revisions gave these entries, with keys `r<revision>/<id>`. Keys without a content, or with
   * a compacted one, are left out.
   */
  entryRevisions(keys: readonly EntryRevisionKey[]): Promise<Map<string, EntryRevision>>
  /** Entries that match, in order. `EVERYTHING` for all. @throws RegistryError TIMEOUT */
  findEntries(criteria: Criteria, order: EntryOrder, page: Page<EntryPosition>, at: ReadAt): Promise<EntryPage>
  /** The number of matching entries. @throws RegistryError TIMEOUT */
  countEntries(criteria: Criteria, at: ReadAt): Promise<number>
  /** Namespaces with entries, sorted by code point. */
  namespaces(at: ReadAt): Promise<readonly NamespaceSummary[]>

  /** The contents of each entry that are not compacted, newest first, the same page of each. One statement for any number of ids. */
  entryHistories(ids: readonly EntryId[], page: Page<number>): Promise<Map<EntryId, PageOf<EntryRevision>>>
  /** The number of contents of each entry that are not compacted. */
  entryHistoryCounts(ids: readonly EntryId[]): Promise<Map<EntryId, number>>

  /** Versions by number; unknown numbers are left out. */
  versions(numbers: readonly number[]): Promise<Map<number, Version>>
  /** Versions in ascending order; positions are version numbers. */
  versionPage(page: Page<number>): Promise<PageOf<Version>>
  versionCount(): Promise<number>
  /** The children of each version in ascending order; [] if there are none. */
  children(numbers: readonly number[]): Promise<Map<number, readonly Version[]>>
  /** The version and its ancestors up to v0. @throws RegistryError VERSION_NOT_FOUND */
  lineage(version: number): Promise<readonly number[]>

  /** Transitions by revision; unknown revisions, and 0, are left out. */
  transitions(revisions: readonly number[]): Promise<Map<number, Transition>>
  /** Transitions in ascending order; positions are revisions. */
  transitionPage(page: Page<number>): Promise<PageOf<Transition>>
  transitionCount(): Promise<number>

  /**
   * The changes of these revisions, the same page of each. Positions are those of `Change.position`. Compacted
   * revisions are left out.
   */
  changesOf(revisions: readonly number[], page: Page<number>): Promise<Map<number, PageOf<Change>>>
  /**
   * The log after a position, ascending by (revision, position): at most `limit` changes, or fewer if they are large,
   * with their transitions. Transitions without a change are included. The result is complete from `after` to `upTo`.
   * @throws RegistryError COMPACTED if `after` is below `oldestRevision`
   */
  log(after: LogPosition, limit: number): Promise<LogPage>

  /** The changes in a namespace, newest first, back to the oldest revision. Positions are those of the log. */
  namespaceChanges(namespace: string, page: Page<LogPosition>): Promise<PageOf<Change>>
  namespaceChangeCount(namespace: string): Promise<number>

  /** Tags by name; unknown names are left out. */
  tags(names: readonly string[]): Promise<Map<string, Tag>>
  /** Tags sorted by name, by code point; positions are names. */
  tagPage(page: Page<string>): Promise<PageOf<Tag>>
  tagCount(): Promise<number>
  /** The tags on each version, sorted by name; [] if there are none. */
  tagsOf(versions: readonly number[]): Promise<Map<number, readonly Tag[]>>

  /**
   * The fewest operations that lead from one revision's state to another's, in dependency order. The cost depends on
   * what changed between the two, not on the size of the registry.
   */
  delta(from: number, to: number): Promise<readonly Operation[]>

  /**
   * References at the head to each of these entries: directly, by namespace or by group. The same page of each list,
   * sorted by source, then by path.
   */
  dependents(ids: readonly EntryId[], page: ForwardPage<ReferencePosition>): Promise<Map<EntryId, PageOf<ReferenceRow>>>
  /**
   * At most `limit` references at the head to one of these targets, sorted by target, source and path. Only entries
   * that have not changed after `unchangedSince` count.
   */
  referencesTo(
    targets: readonly ReferenceTarget[],
    unchangedSince: number,
    limit: number,
  ): Promise<readonly ReferenceRow[]>
  /** Ids that changed after a revision; null if there are more than `limit` changes after it. */
  changedSince(revision: number, limit: number): Promise<readonly EntryId[] | null>
  /** Entries at the head in each group: an element of the array `meta.groups`. The same page of each, sorted by id. */
  entriesInGroups(groups: readonly string[], page: ForwardPage<EntryId>): Promise<Map<string, PageOf<EntryRevision>>>
  /** Entries at the head in each namespace. The same page of each, sorted by id. */
  entriesInNamespaces(
    namespaces: readonly string[],
    page: ForwardPage<EntryId>,
  ): Promise<Map<string, PageOf<EntryRevision>>>
}

export interface EntryRevisionKey {
  readonly id: EntryId
  readonly revision: number
}

export function entryRevisionKey(key: EntryRevisionKey): string {
  return `r${key.revision}/${key.id}`
}

/** A position in the log, after this change of this revision. */
export interface LogPosition {
  readonly revision: number
  /** `Infinity` is the position after the whole revision. */
  readonly position: number
}

export interface LogPage {
  readonly transitions: readonly Transition[]
  readonly changes: readonly Change[]
  readonly upTo: LogPosition
  /** The head at the instant of this read. If the log was read to its end, `upTo` is after the whole head revision. */
  readonly head: Head
}
