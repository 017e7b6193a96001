import { sortInSteps } from '../../core/algorithms/sort-in-steps.js'
import { flatMapInSteps, forEachInSteps, type Steps } from '../../core/algorithms/steps.js'
import type { EntryRevision, SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Change } from '../../core/history/change.js'
import type { PlannedOperation } from '../../core/ordering/operation.js'

export const CHANGE_OPERATIONS = ['create', 'update', 'delete', 'replace'] as const
/** `replace` is a delete and a create with another kind in one changeset, so it is two changes in one row. */
export type ChangeOperation = (typeof CHANGE_OPERATIONS)[number]

/** A stored row of the log: one for each entry that a revision touched. */
export interface ChangeRow {
  readonly id: EntryId
  readonly revision: number
  readonly operation: ChangeOperation
  /** The change's position within its revision. For a replacement, that of the create. */
  readonly position: number
  /** The position of a replacement's delete. */
  readonly deletePosition: number | null
  /** Null for `delete`. */
  readonly content: SealedContent | null
  /** The version whose changeset wrote the content; null for `delete`. */
  readonly version: number | null
  /** The revision that gave the entry the content it had before; null for `create`. */
  readonly previousRevision: number | null
}

/** The rows of one transition, from its operations in order. `writtenBy` returns the version that wrote a content. */
export function* changeRows(
  revision: number,
  operations: readonly PlannedOperation[],
  writtenBy: (id: EntryId) => number,
): Steps<ChangeRow[]> {
  const rows = new Map<EntryId, ChangeRow>()
  yield* forEachInSteps(operations, (operation, position) => {
    const { id, content } = operation
    const deleted = rows.get(id)
    if (deleted !== undefined) {
      const replacement = { operation: 'replace', position, deletePosition: deleted.position } as const
      rows.set(id, { ...deleted, ...replacement, content, version: writtenBy(id) })
      return
    }
    rows.set(id, {
      id,
      revision,
      position,
      content,
      operation: ROW_OPERATION[operation.kind],
      deletePosition: null,
      version: content === null ? null : writtenBy(id),
      previousRevision: operation.originalRevision?.revision ?? null,
    })
  })
  return [...rows.values()]
}

/** The changes of one transition, as the log has them: in order, with what was before. */
export function* changesOfOperations(
  revision: number,
  operations: readonly PlannedOperation[],
  writtenBy: (id: EntryId) => number,
): Steps<readonly Change[]> {
  const previous = new Map<EntryId, EntryRevision>()
  yield* forEachInSteps(operations, ({ id, originalRevision }) => {
    if (originalRevision !== null) previous.set(id, originalRevision)
  })
  const rows = yield* changeRows(revision, operations, writtenBy)
  const changes = yield* flatMapInSteps(rows, (row) => changesOfRow(row, previous.get(row.id) ?? null))
  return yield* sortInSteps(changes, byPosition)
}

const ROW_OPERATION = { CREATE: 'create', UPDATE: 'update', DELETE: 'delete' } as const

const CHANGE_KIND = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE', replace: 'CREATE' } as const

/** The change in a row, or a replacement's two changes; not yet in the revision's order. */
export function changesOfRow(row: ChangeRow, previous: EntryRevision | null): Change[] {
  const { id, revision, position } = row
  const entry = entryOfRow(row)
  if (row.operation !== 'replace') {
    return [{ id, revision, position, kind: CHANGE_KIND[row.operation], entry, previous }]
  }
  return [
    { id, revision, position: row.deletePosition!, kind: 'DELETE', entry: null, previous },
    { id, revision, position, kind: 'CREATE', entry, previous: null },
  ]
}

export function entryOfRow(row: ChangeRow): EntryRevision | null {
  if (row.content === null) return null
  return { id: row.id, content: row.content, revision: row.revision, version: row.version! }
}

type Placed = Pick<Change, 'revision' | 'position'>

export function byPosition(a: Placed, b: Placed): number {
  return a.revision - b.revision || a.position - b.position
}
