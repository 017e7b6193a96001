import type { EntryId } from '../../core/entry/entry-id.js'
import type { Operation, PlannedOperation } from '../../core/ordering/operation.js'
import type { CommitOutcome, CommitRequest, DerivedEntry } from '../contract/history-writer.js'
import type { CommitState } from './commit-state.js'

/** The derived entries of a request. */
export function derivedOf({ derived }: CommitRequest): readonly DerivedEntry[] {
  return derived?.entries ?? []
}

/** The operation on a derived entry. None if the changeset leaves the entry as it is. */
export function derivedOperation({ id, content, original }: DerivedEntry): Operation[] {
  if (content?.digest === original?.digest) return []
  return [{ kind: original === null ? 'CREATE' : content === null ? 'DELETE' : 'UPDATE', id, content, original }]
}

/** The ids of the derived entries that a request deletes. */
export function derivedDeletes(request: CommitRequest): EntryId[] {
  return derivedOf(request).flatMap(({ id, content, original }) => (content === null && original !== null ? [id] : []))
}

/** The operations on derived entries, or the refusal of a request whose derived entries were computed from an older state. */
export function derivedOperations(
  request: CommitRequest,
  { entries }: Pick<CommitState, 'entries'>,
): { readonly operations: readonly PlannedOperation[] } | { readonly stale: CommitOutcome } {
  const operations: PlannedOperation[] = []
  for (const entry of derivedOf(request)) {
    const { id, original } = entry
    const current = entries.get(id) ?? null
    if (current?.content.digest !== original?.digest) {
      const message = `${id} kept changing while it was computed. Send the changeset again when there are fewer other writes.`
      return { stale: { type: 'refused', problems: [{ code: 'CONFLICT', message, entryId: id }], stale: 'changed' } }
    }
    const [operation] = derivedOperation(entry)
    if (operation !== undefined) operations.push({ ...operation, originalRevision: current })
  }
  return { operations }
}
