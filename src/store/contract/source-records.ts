import type { EntryId } from '../../core/entry/entry-id.js'
import type { Page, PageOf } from './history-reader.js'

/*
 * Records of sources, so that any gateway can continue where another has stopped:
 *
 *   source ──┬── the gateway that reads it (a lease), and the state that clients are shown
 *            ├── its locations: the stamp under which each was applied completely
 *            ├── its entries: the content it provided for each, and which of them it owns
 *            └── requests to reload it, and their reports
 */

/** The content that a source provided for an entry. */
export interface EntryRecord {
  readonly id: EntryId
  /** Null if no location defines the entry any more and it is marked unavailable. */
  readonly location: string | null
  /** The latest digest of the content. Empty while the entry is unavailable. */
  readonly digest: string
  /** The revision by which this source wrote the entry; null if it does not own it. */
  readonly revision: number | null
}

export interface LocationRecord {
  readonly location: string
  /** Null if the location has to be read again. */
  readonly stamp: string | null
  /** Number of effective definitions. */
  readonly entries: number
}

/** Records that change together. No id and no location is in two lists. */
export interface RecordChanges {
  readonly entries: readonly EntryRecord[]
  readonly removedEntries: readonly EntryId[]
  readonly locations: readonly LocationRecord[]
  readonly removedLocations: readonly string[]
}

/** A request to reload a source. */
export interface ReloadRequest {
  readonly id: string
  readonly source: string
  /** Whether the reload may delete all entries of a source that defines nothing any more. */
  readonly allowEmpty: boolean
}

/** `state` and `report` are texts of the floors above. Clients see the state, and a report answers a request. */
export interface SourceRecords {
  /** This gateway's name as a holder of leases. */
  readonly holder: string
  /**
   * Acquires the lease of each source that no gateway holds, and renews this gateway's leases.
   * @returns the sources held now with their terms. A term grows whenever another gateway has held the lease in between
   */
  acquireLeases(sources: readonly string[], leaseMs: number): Promise<ReadonlyMap<string, number>>
  /**
   * Records that this gateway is about to write for a source. Until `endWrites`, any holder of the lease can read
   * `unsettledSince`: after that revision there may be writes without records.
   * @throws LeaseLost
   */
  beginWrites(source: string): Promise<void>
  /** Records that all writes have their records. @throws LeaseLost */
  endWrites(source: string): Promise<void>
  unsettledSince(source: string): Promise<number | null>
  /** Releases the leases at once. */
  releaseLeases(sources: readonly string[]): Promise<void>

  /** The locations of a source. Locations that only its entries name have no stamp. */
  locations(source: string): Promise<readonly LocationRecord[]>
  /** The records of these entries. One statement for any number of ids, as for each of the following methods. */
  entries(source: string, ids: readonly EntryId[]): Promise<Map<EntryId, EntryRecord>>
  entriesIn(source: string, locations: readonly string[]): Promise<readonly EntryRecord[]>
  /** The source that owns each entry; entries without an owner are left out. */
  owners(ids: readonly EntryId[]): Promise<Map<EntryId, string>>
  /** The ids that were deleted after the given revision, even if they exist again. */
  deletedSince(written: readonly { readonly id: EntryId; readonly revision: number }[]): Promise<ReadonlySet<EntryId>>
  /**
   * Stores records. If an entry is stored with a revision, no other source owns it any longer. @throws LeaseLost,
   * without having written anything
   */
  save(source: string, changes: RecordChanges): Promise<void>

  /** Entries at the head that a source owns, sorted by id; positions are ids. */
  ownedPage(source: string, page: Page<EntryId>): Promise<PageOf<EntryId>>
  ownedCount(source: string): Promise<number>

  /** The states of sources; sources that were never read are left out. */
  states(sources: readonly string[]): Promise<Map<string, string>>
  /** @throws LeaseLost */
  saveState(source: string, state: string): Promise<void>

  /** Asks the gateway that reads the source to reload it. `allowEmpty` allows a reload to delete everything. */
  requestReload(source: string, allowEmpty: boolean): Promise<ReloadRequest>
  /** The requests that have no report yet. */
  pendingReloads(sources: readonly string[]): Promise<readonly ReloadRequest[]>
  answerReloads(requests: readonly ReloadRequest[], report: string): Promise<void>
  /** Removes and returns the report of a request. Null while there is none. */
  takeReloadReport(request: ReloadRequest): Promise<string | null>
  /** Calls back when a reload may have been requested or answered, or a lease released. The hint may be lost. */
  onSignal(listener: () => void): () => void
}

/** Another gateway holds the source's lease. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'

  constructor(readonly source: string) {
    super(`Another gateway reads the source ${source} now.`)
  }
}
