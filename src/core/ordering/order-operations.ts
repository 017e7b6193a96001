import { sortInSteps } from '../algorithms/sort-in-steps.js'
import type { Steps } from '../algorithms/steps.js'
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
 * Costs n log n in operations and references, even if 50,000 entries refer to a namespace of 50,000. A large changeset
 * takes seconds, hence the steps.
 */
export function* orderOperations<T extends Operation>(
  operations: readonly T[],
  references: Pick<ExtractReferences, 'targets'>,
): Steps<T[]> {
  const deletes = operations.filter((operation) => operation.kind === 'DELETE')
  const others = operations.filter((operation) => operation.kind !== 'DELETE')
  const first = yield* inOrder(deletes, (operation) => operation.original, references, 'DEPENDENTS_FIRST')
  const last = yield* inOrder(others, (operation) => operation.content, references, 'DEPENDENCIES_FIRST')
  return [...first, ...last]
}

function* inOrder<T extends Operation>(
  operations: readonly T[],
  contentOf: (operation: T) => SealedContent | null,
  references: Pick<ExtractReferences, 'targets'>,
  precedence: Precedence,
): Steps<readonly T[]> {
  if (operations.length < 2) return operations
  const byId = yield* sortInSteps(operations, (a, b) => compareEntryIds(a.id, b.id))
  const items = byId.map((operation) => {
    const content = contentOf(operation)
    if (content === null) throw new Error(`${operation.kind} ${operation.id} has no content to sort by`)
    return { id: operation.id, content }
  })
  const order = yield* precedenceOrder(yield* precedenceGraph(items, references, precedence))
  return order.map((number) => byId[number]!)
}
