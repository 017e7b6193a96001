import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Head } from '../../core/history/version.js'

/**
 * Looks at the head by which whoever keeps entries in memory knows what is still true of them: each tells the
 * revision that it is of, which is at least that of every write acknowledged before it began.
 */
export interface HeadReader {
  /**
   * Where the head is, and which entries changed after a revision: as they stand now, or null where that is not told
   * (they are gone, or large, or among many). `changed` is null where there are more than `limit` changes, or not all are known any more.
   */
  readIndex(since: number, limit: number): Promise<ReadIndexResult>
  /** Entries as they stand, as `HistoryReader.entries` gives them. */
  entries(ids: readonly EntryId[]): Promise<HeadEntries>
}

export interface ReadIndexResult {
  readonly head: Head
  readonly changed: ReadonlyMap<EntryId, EntryRevision | null> | null
}

export interface HeadEntries {
  readonly revision: number
  readonly entries: ReadonlyMap<EntryId, EntryRevision>
}
