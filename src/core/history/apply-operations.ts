import type { SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { Operation, OperationKind } from '../ordering/operation.js'

/** What makes an operation of each kind fit what stands there; the answer says why it does not. */
const MISFIT: Readonly<
  Record<OperationKind, (operation: Operation, current: SealedContent | undefined) => string | undefined>
> = {
  CREATE: ({ content }, current) => {
    if (content === null) return 'has no content'
    return current === undefined ? undefined : 'the entry is there already'
  },
  UPDATE: ({ content, original }, current) => {
    if (content === null) return 'has no content'
    if (current === undefined) return 'there is no such entry'
    if (content.kind !== current.kind) return `an update cannot make a ${content.kind} of a ${current.kind}`
    return otherOriginal(original, current)
  },
  DELETE: ({ content, original }, current) => {
    if (content !== null) return 'has content'
    return current === undefined ? 'there is no such entry' : otherOriginal(original, current)
  },
}

function otherOriginal(original: SealedContent | null, current: SealedContent): string | undefined {
  return original === null || original.digest === current.digest
    ? undefined
    : 'the entry holds something else than its original'
}

/**
 * The state after these operations, in their order; the given state stays as it is.
 * @throws Error where an operation does not fit: the state lacks what it changes, has what it creates, or
 * holds something else than the operation's original (an original of null is not compared)
 */
export function applyOperations(
  state: ReadonlyMap<EntryId, SealedContent>,
  operations: readonly Operation[],
): Map<EntryId, SealedContent> {
  const result = new Map(state)
  for (const operation of operations) {
    const misfit = MISFIT[operation.kind](operation, result.get(operation.id))
    if (misfit !== undefined) throw new Error(`${operation.kind} ${operation.id} does not fit: ${misfit}`)
    if (operation.content === null) result.delete(operation.id)
    else result.set(operation.id, operation.content)
  }
  return result
}
