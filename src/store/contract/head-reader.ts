import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Head } from '../../core/history/version.js'

/**
 * Read-index queries, which keep a cache of entries linearizable. Each result includes the revision at which it was
 * read. That revision is at least as new as every write acknowledged before the query began.
 */
export interface HeadReader {
  /**
   * The head, and the current state of the entries that changed after a revision. An entry is null if it was deleted,
   * is large, or is one of many. `changed` is null if there are more than `limit` changes or some were compacted.
   */
  readIndex(since: number, limit: number): Promise<ReadIndexResult>
  /** Entries at the head, as `HistoryReader.entries` returns them. */
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
