import { ITEMS_PER_STEP, type Steps } from '../algorithms/steps.js'
import type { ExtractReferences } from '../dependency/reference.js'
import type { SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { Operation } from '../ordering/operation.js'
import { orderOperations } from '../ordering/order-operations.js'

/** An entry's content in two states; null if it is missing in one. */
export interface EntryPair {
  readonly id: EntryId
  readonly before: SealedContent | null
  readonly after: SealedContent | null
}

/**
 * Computes the fewest operations that lead from `before` to `after` for each entry, in order. Equal content (by value)
 * needs none. Another kind needs a DELETE and a CREATE. Each id is in one pair only.
 */
export function* operationsBetween(
  pairs: Iterable<EntryPair>,
  references: Pick<ExtractReferences, 'targets'>,
): Steps<Operation[]> {
  const operations: Operation[] = []
  let visited = 0
  for (const { id, before, after } of pairs) {
    if (++visited % ITEMS_PER_STEP === 0) yield
    if (before === null && after === null) continue
    if (before === null) operations.push({ kind: 'CREATE', id, content: after, original: null })
    else if (after === null) operations.push({ kind: 'DELETE', id, content: null, original: before })
    else if (before.digest === after.digest) continue
    else if (before.kind === after.kind) operations.push({ kind: 'UPDATE', id, content: after, original: before })
    else {
      operations.push({ kind: 'DELETE', id, content: null, original: before })
      operations.push({ kind: 'CREATE', id, content: after, original: null })
    }
  }
  return yield* orderOperations(operations, references)
}

/** Computes the fewest operations that lead from one state to another, in order. */
export function delta(
  from: ReadonlyMap<EntryId, SealedContent>,
  to: ReadonlyMap<EntryId, SealedContent>,
  references: Pick<ExtractReferences, 'targets'>,
): Steps<Operation[]> {
  return operationsBetween(pairsOf(from, to), references)
}

function* pairsOf(
  from: ReadonlyMap<EntryId, SealedContent>,
  to: ReadonlyMap<EntryId, SealedContent>,
): Iterable<EntryPair> {
  for (const [id, before] of from) yield { id, before, after: to.get(id) ?? null }
  for (const [id, after] of to) if (!from.has(id)) yield { id, before: null, after }
}
