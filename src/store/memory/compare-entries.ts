import { compareEntryIds } from '../../core/entry/entry-id.js'
import type { EntryOrder, EntryPosition } from '../contract/history-reader.js'

type Compare = (a: EntryPosition, b: EntryPosition) => number

const byId: Compare = (a, b) => compareEntryIds(a.id, b.id)
const byRevision: Compare = (a, b) => a.revision - b.revision || byId(a, b)

/** The orders of a list of entries. Entries of the same revision are ordered by id. */
export const COMPARE_ENTRIES: Readonly<Record<EntryOrder, Compare>> = {
  ID_ASC: byId,
  ID_DESC: (a, b) => byId(b, a),
  REVISION_ASC: byRevision,
  REVISION_DESC: (a, b) => byRevision(b, a),
}
