import type { EntryRevision } from '../../core/entry/entry.js'
import type { Change } from '../../core/history/change.js'

/** Whether an entry matches a filter. */
export type MatchEntry = (entry: EntryRevision) => boolean

/**
 * Converts a change to the view of a filter. Returns null if the change is not in that view. In that view, an entry that begins to match is
 * created and one that ceases to match is deleted, whatever happened to it in the registry.
 */
export function filteredChange(change: Change, matches: MatchEntry): Change | null {
  const before = change.previous !== null && matches(change.previous)
  const after = change.entry !== null && matches(change.entry)
  if (before && after) return change
  if (after) return change.kind === 'CREATE' ? change : { ...change, kind: 'CREATE', previous: null }
  if (before) return change.kind === 'DELETE' ? change : { ...change, kind: 'DELETE', entry: null }
  return null
}
