import type { EntryRevision } from '../../core/entry/entry.js'
import type { Change } from '../../core/history/change.js'

/** What the bookkeeping around one content takes, besides its texts. */
const OVERHEAD_BYTES = 300

/** Rough size in memory. */
export function entryBytes(entry: EntryRevision | null): number {
  return entry === null ? 0 : OVERHEAD_BYTES + entry.content.metaText.length + entry.content.dataText.length
}

export function changeBytes(change: Change): number {
  return OVERHEAD_BYTES + entryBytes(change.entry) + entryBytes(change.previous)
}
