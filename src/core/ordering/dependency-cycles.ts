import type { ExtractReferences } from '../dependency/reference.js'
import type { SealedContent } from '../entry/entry.js'
import { compareEntryIds, type EntryId } from '../entry/entry-id.js'
import { cyclesOf } from './cycles.js'
import type { Operation } from './operation.js'
import { precedenceGraph } from './precedence-graph.js'

/**
 * The circles among a changeset's operations, at which `orderOperations` had to break references: each by id, all by
 * their smallest. An entry that names itself directly is a circle of one, of which nothing had to be broken.
 */
export function dependencyCycles(operations: readonly Operation[], references: ExtractReferences): EntryId[][] {
  const deleted = operations.flatMap(({ kind, id, original }) =>
    kind === 'DELETE' ? [{ id, content: original! }] : [],
  )
  const written = operations.flatMap(({ kind, id, content }) => (kind === 'DELETE' ? [] : [{ id, content: content! }]))
  const circles = new Map<string, EntryId[]>()
  for (const half of [deleted, written]) {
    // The same circle deleted and made again is told once.
    for (const circle of circlesAmong(half, references)) circles.set(JSON.stringify(circle), circle)
  }
  return [...circles.values()].sort((a, b) => compareEntryIds(a[0]!, b[0]!) || b.length - a.length)
}

function circlesAmong(
  items: readonly { id: EntryId; content: SealedContent }[],
  references: ExtractReferences,
): EntryId[][] {
  const byId = [...items].sort((a, b) => compareEntryIds(a.id, b.id))
  const namingThemselves = new Set<EntryId>()
  const graph = precedenceGraph(
    byId,
    (id, content) => {
      const found = references(id, content)
      if (found.some(({ target }) => target.type === 'entry' && target.id === id)) namingThemselves.add(id)
      return found
    },
    'DEPENDENCIES_FIRST',
  )
  const members = new Map<number, EntryId[]>()
  const circleOf = cyclesOf(graph)
  byId.forEach(({ id }, number) => {
    const circle = members.get(circleOf[number]!)
    if (circle === undefined) members.set(circleOf[number]!, [id])
    else circle.push(id)
  })
  return [...members.values()].filter((circle) => circle.length > 1 || namingThemselves.has(circle[0]!))
}
