import type { SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { Operation, OperationKind } from '../ordering/operation.js'

/** Why an operation of each kind does not fit the current entry; undefined if it does. */
const MISFITS: Readonly<
  Record<OperationKind, (operation: Operation, current: SealedContent | undefined) => string | undefined>
> = {
  CREATE: ({ content }, current) => {
    if (content === null) return 'has no content'
    return current === undefined ? undefined : 'the entry already exists'
  },
  UPDATE: ({ content, original }, current) => {
    if (content === null) return 'has no content'
    if (current === undefined) return 'the entry does not exist'
    if (content.kind !== current.kind) return `an update cannot make a ${content.kind} of a ${current.kind}`
    return otherOriginal(original, current)
  },
  DELETE: ({ content, original }, current) => {
    if (content !== null) return 'has content'
    return current === undefined ? 'the entry does not exist' : otherOriginal(original, current)
  },
}

function otherOriginal(original: SealedContent | null, current: SealedContent): string | undefined {
  return original === null || original.digest === current.digest
    ? undefined
    : 'the entry has other content than its original'
}

/**
 * Applies operations in their order and returns the new state. The given state is not modified.
 * @throws Error if an operation does not fit: the state lacks the entry that it changes, has the entry that it creates, or
 * has other content than the operation's original (an original of null is not compared)
 */
export function applyOperations(
  state: ReadonlyMap<EntryId, SealedContent>,
  operations: readonly Operation[],
): Map<EntryId, SealedContent> {
  const result = new Map(state)
  for (const operation of operations) {
    const misfit = MISFITS[operation.kind](operation, result.get(operation.id))
    if (misfit !== undefined) throw new Error(`${operation.kind} ${operation.id} does not fit: ${misfit}`)
    if (operation.content === null) result.delete(operation.id)
    else result.set(operation.id, operation.content)
  }
  return result
}
