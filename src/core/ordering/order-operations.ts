import type { ExtractReferences } from '../dependency/reference.js'
import type { SealedContent } from '../entry/entry.js'
import { compareEntryIds } from '../entry/entry-id.js'
import type { Operation } from './operation.js'
import { type Precedence, precedenceGraph } from './precedence-graph.js'
import { precedenceOrder } from './precedence-order.js'

/**
 * Sorts a changeset's operations into the canonical order, a pure function of the set. Deletes go first, dependents before
 * their dependencies by the original contents. Creates and updates follow, dependencies before dependents by the new
 * contents. Only direct references between operations of the same half count.
 *
 * Within each half, an operation is ready when all its predecessors are done. The smallest ready id goes next. The
 * operations of a cycle are never ready by themselves. Once all predecessors of the whole cycle are done, its smallest id
 * counts as ready, and so does the smallest remaining one whenever none of the cycle is ready. So only references within
 * a cycle are broken.
 *
 * Costs n log n in operations and references, even if 50,000 entries refer to a namespace of 50,000.
 */
export function orderOperations<T extends Operation>(operations: readonly T[], references: ExtractReferences): T[] {
  const deletes = operations.filter((operation) => operation.kind === 'DELETE')
  const others = operations.filter((operation) => operation.kind !== 'DELETE')
  return [
    ...inOrder(deletes, (operation) => operation.original, references, 'DEPENDENTS_FIRST'),
    ...inOrder(others, (operation) => operation.content, references, 'DEPENDENCIES_FIRST'),
  ]
}

function inOrder<T extends Operation>(
  operations: readonly T[],
  contentOf: (operation: T) => SealedContent | null,
  references: ExtractReferences,
  precedence: Precedence,
): T[] {
  const byId = [...operations].sort((a, b) => compareEntryIds(a.id, b.id))
  if (byId.length < 2) return byId
  const items = byId.map((operation) => {
    const content = contentOf(operation)
    if (content === null) throw new Error(`${operation.kind} ${operation.id} has no content to sort by`)
    return { id: operation.id, content }
  })
  return precedenceOrder(precedenceGraph(items, references, precedence)).map((number) => byId[number]!)
}
