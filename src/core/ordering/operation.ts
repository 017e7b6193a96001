import type { EntryRevision, SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'

export const OPERATION_KINDS = ['CREATE', 'UPDATE', 'DELETE'] as const
export type OperationKind = (typeof OPERATION_KINDS)[number]

/**
 * One step of a changeset. `content` is the entry's content afterwards (null for DELETE), `original` its content before
 * (null for CREATE).
 */
export interface Operation {
  readonly kind: OperationKind
  readonly id: EntryId
  readonly content: SealedContent | null
  readonly original: SealedContent | null
}

/** An operation between two states of a registry. It also has the revision of the original. */
export interface PlannedOperation extends Operation {
  readonly originalRevision: EntryRevision | null
}

/** An operation as a caller sent it. Its content is validated; it is not checked against any state yet. */
export interface SubmittedOperation {
  /** Index into the operations sent. */
  readonly index: number
  readonly kind: OperationKind
  readonly id: EntryId
  /** Null for DELETE. */
  readonly content: SealedContent | null
  readonly ifRevision: number | null
  /** For a DELETE: whether to delete the entry even if it has live instances. */
  readonly force?: boolean
}
