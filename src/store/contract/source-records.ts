import type { EntryId } from '../../core/entry/entry-id.js'
import type { Page, PageOf } from './history-reader.js'

/*
 * What is kept of sources so that any gateway can go on where another has stopped:
 *
 *   source ──┬── who reads it now (a lease), what clients are shown of it
 *            ├── its locations: under which stamp each was fully taken over
 *            ├── its entries: what it gave for each, and which of them it owns
 *            └── requests to load it anew, and their answers
 */

/** What a source gave for an entry. */
export interface EntryRecord {
  readonly id: EntryId
  /** Null: no location defines it any more, the entry is kept as unavailable. */
  readonly location: string | null
  /** Of the content given last; empty while it is unavailable. */
  readonly digest: string
  /** The one by which this source wrote the entry; null where it does not own it. */
  readonly revision: number | null
}

export interface LocationRecord {
  readonly location: string
  /** Null where it has to be read again. */
  readonly stamp: string | null
  /** Definitions that count. */
  readonly entries: number
}

/** Records that change together. No id and no location stands in two lists. */
export interface RecordChanges {
  readonly entries: readonly EntryRecord[]
  readonly removedEntries: readonly EntryId[]
  readonly locations: readonly LocationRecord[]
  readonly removedLocations: readonly string[]
}

/** A wish that a source be loaded anew. */
export interface ReloadRequest {
  readonly id: string
  readonly source: string
}

/** Texts that the floors above write and read: `state` is shown to clients, `report` answers a request. */
export interface SourceRecords {
  /** Names this gateway among the holders. */
  readonly holder: string
  /**
   * Takes each source that nobody reads, and renews those that this gateway does. Those it holds now, each with its
   * term: another number whenever another gateway has held it in between.
   */
  acquireLeases(sources: readonly string[], leaseMs: number): Promise<ReadonlyMap<string, number>>
  /**
   * Notes that this gateway is about to write for a source, before it does. Until it is settled, whoever holds the source
   * learns by `unsettled` after which revision there may be writes that are not recorded. @throws LeaseLost
   */
  beginWrites(source: string): Promise<void>
  /** All that was written is recorded. @throws LeaseLost */
  endWrites(source: string): Promise<void>
  unsettledSince(source: string): Promise<number | null>
  /** Leaves them to others at once. */
  releaseLeases(sources: readonly string[]): Promise<void>

  /** Those too that entries are recorded with and that are not recorded themselves: with no stamp. */
  locations(source: string): Promise<readonly LocationRecord[]>
  /** One statement however many ids, as is each of the following. */
  entries(source: string, ids: readonly EntryId[]): Promise<Map<EntryId, EntryRecord>>
  entriesIn(source: string, locations: readonly string[]): Promise<readonly EntryRecord[]>
  /** Which source owns each of these; those of nobody are left out. */
  owners(ids: readonly EntryId[]): Promise<Map<EntryId, string>>
  /** Those that were deleted after this revision, whatever stands there now. */
  deletedSince(written: readonly { readonly id: EntryId; readonly revision: number }[]): Promise<ReadonlySet<EntryId>>
  /** Writes records down. An entry that is recorded with a revision is no longer any other source's. @throws LeaseLost, having written nothing */
  save(source: string, changes: RecordChanges): Promise<void>

  /** Entries at the head that a source owns, by id; positions are ids. */
  ownedPage(source: string, page: Page<EntryId>): Promise<PageOf<EntryId>>
  ownedCount(source: string): Promise<number>

  /** Sources that were never read are left out. */
  states(sources: readonly string[]): Promise<Map<string, string>>
  /** @throws LeaseLost */
  saveState(source: string, state: string): Promise<void>

  /** Asks whoever reads the source to load it anew. */
  requestReload(source: string): Promise<ReloadRequest>
  /** What has been asked for and not been answered yet. */
  pendingReloads(sources: readonly string[]): Promise<readonly ReloadRequest[]>
  answerReloads(requests: readonly ReloadRequest[], report: string): Promise<void>
  /** The report, once; null while there is none. */
  takeReloadReport(request: ReloadRequest): Promise<string | null>
  /** Calls back when something may have been asked, answered or let go of: a hint that may be lost. */
  onSignal(listener: () => void): () => void
}

/** Another gateway reads this source now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'

  constructor(readonly source: string) {
    super(`another gateway reads the source ${source} now`)
  }
}
