import type { EntryRevision } from '../../core/entry/entry.js'
import type { Change } from '../../core/history/change.js'

/** Bytes of bookkeeping for one content, besides its texts. */
const OVERHEAD_BYTES = 300

/** The approximate size of an entry in memory, in bytes. */
export function entryBytes(entry: EntryRevision | null): number {
  return entry === null ? 0 : OVERHEAD_BYTES + entry.content.metaText.length + entry.content.dataText.length
}

export function changeBytes(change: Change): number {
  return OVERHEAD_BYTES + entryBytes(change.entry) + entryBytes(change.previous)
}
