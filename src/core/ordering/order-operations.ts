import type { ExtractReferences } from '../dependency/reference.js'
import type { SealedContent } from '../entry/entry.js'
import { compareEntryIds } from '../entry/entry-id.js'
import type { Operation } from './operation.js'
import { type Precedence, precedenceGraph } from './precedence-graph.js'
import { precedenceOrder } from './precedence-order.js'

/**
 * Puts a changeset's operations in the one order that everybody uses, a pure function of the set: deletes,
 * dependents before what they depend on by the original contents; then creates and updates, dependencies
 * before dependents by the new contents. Only direct references between the operations of the same half count.
 *
 * Within each half: an operation is ready when all that must go before it has gone; of those ready, the
 * smallest id goes next. Operations that depend on each other in a circle are never ready by themselves:
 * once all has gone that the circle as a whole waits for, its smallest id counts as ready, and again the
 * smallest that is left of it whenever none of it is ready. So only references within a circle are broken.
 *
 * Costs n log n in operations and references, also where 50,000 refer to a namespace of 50,000.
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
    if (content === null) throw new Error(`${operation.kind} ${operation.id} has no content to be ordered by`)
    return { id: operation.id, content }
  })
  return precedenceOrder(precedenceGraph(items, references, precedence)).map((number) => byId[number]!)
}
