import type { EntryRevision } from '../../core/entry/entry.js'
import type { Change } from '../../core/history/change.js'

export type MatchEntry = (entry: EntryRevision) => boolean

/**
 * A change as a filter sees it, null where it sees none. In the filter's view an entry that begins to match
 * comes into being and one that ceases to match is gone, whatever happened to it in the registry.
 */
export function filteredChange(change: Change, matches: MatchEntry): Change | null {
  const before = change.previous !== null && matches(change.previous)
  const after = change.entry !== null && matches(change.entry)
  if (before && after) return change
  if (after) return change.kind === 'CREATE' ? change : { ...change, kind: 'CREATE', previous: null }
  if (before) return change.kind === 'DELETE' ? change : { ...change, kind: 'DELETE', entry: null }
  return null
}
