import type { Operation, OperationKind } from '../ordering/operation.js'

const INVERSE_KIND: Readonly<Record<OperationKind, OperationKind>> = {
  CREATE: 'DELETE',
  UPDATE: 'UPDATE',
  DELETE: 'CREATE',
}

/**
 * Returns the operations that undo these, in reverse order.
 * @throws Error if an update or delete has no original
 */
export function inverse(operations: readonly Operation[]): Operation[] {
  return operations.map(inverseOf).reverse()
}

function inverseOf({ kind, id, content, original }: Operation): Operation {
  if (kind !== 'CREATE' && original === null) throw new Error(`${kind} ${id} has no original to restore`)
  return { kind: INVERSE_KIND[kind], id, content: original, original: content }
}
