import type { ExtractReferences } from '../dependency/reference.js'
import type { SealedContent } from '../entry/entry.js'
import { compareEntryIds, type EntryId } from '../entry/entry-id.js'
import { cyclesOf } from './cycles.js'
import type { Operation } from './operation.js'
import { precedenceGraph } from './precedence-graph.js'

/**
 * Finds the cycles among a changeset's operations, where `orderOperations` had to break references. Each cycle is sorted
 * by id, and the cycles by their smallest id. An entry that names itself directly is a cycle of one.
 */
export function dependencyCycles(operations: readonly Operation[], references: ExtractReferences): EntryId[][] {
  const deleted = operations.flatMap(({ kind, id, original }) =>
    kind === 'DELETE' ? [{ id, content: original! }] : [],
  )
  const written = operations.flatMap(({ kind, id, content }) => (kind === 'DELETE' ? [] : [{ id, content: content! }]))
  const cycles = new Map<string, EntryId[]>()
  for (const half of [deleted, written]) {
    // A cycle that is deleted and created again is reported once.
    for (const cycle of cyclesAmong(half, references)) cycles.set(JSON.stringify(cycle), cycle)
  }
  return [...cycles.values()].sort((a, b) => compareEntryIds(a[0]!, b[0]!) || b.length - a.length)
}

function cyclesAmong(
  items: readonly { id: EntryId; content: SealedContent }[],
  references: ExtractReferences,
): EntryId[][] {
  const byId = [...items].sort((a, b) => compareEntryIds(a.id, b.id))
  const selfReferring = new Set<EntryId>()
  const graph = precedenceGraph(
    byId,
    (id, content) => {
      const found = references(id, content)
      if (found.some(({ target }) => target.type === 'entry' && target.id === id)) selfReferring.add(id)
      return found
    },
    'DEPENDENCIES_FIRST',
  )
  const members = new Map<number, EntryId[]>()
  const cycleOf = cyclesOf(graph)
  byId.forEach(({ id }, number) => {
    const cycle = members.get(cycleOf[number]!)
    if (cycle === undefined) members.set(cycleOf[number]!, [id])
    else cycle.push(id)
  })
  return [...members.values()].filter((cycle) => cycle.length > 1 || selfReferring.has(cycle[0]!))
}
