import type { Operation, OperationKind } from '../ordering/operation.js'

const INVERSE_KIND: Readonly<Record<OperationKind, OperationKind>> = {
  CREATE: 'DELETE',
  UPDATE: 'UPDATE',
  DELETE: 'CREATE',
}

/**
 * The operations that undo these, in reverse order: what an entry holds afterwards is what it held before.
 * @throws Error on an operation that does not know what was there before
 */
export function inverse(operations: readonly Operation[]): Operation[] {
  return operations.map(inverseOf).reverse()
}

function inverseOf({ kind, id, content, original }: Operation): Operation {
  if (kind !== 'CREATE' && original === null) throw new Error(`${kind} ${id} has no original to go back to`)
  return { kind: INVERSE_KIND[kind], id, content: original, original: content }
}
