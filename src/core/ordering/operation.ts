import type { EntryRevision, SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'

export const OPERATION_KINDS = ['CREATE', 'UPDATE', 'DELETE'] as const
export type OperationKind = (typeof OPERATION_KINDS)[number]

/**
 * One step of a changeset that leads from one state to another. `content` is what the entry holds
 * afterwards (null for DELETE), `original` what it held before (null for CREATE).
 */
export interface Operation {
  readonly kind: OperationKind
  readonly id: EntryId
  readonly content: SealedContent | null
  readonly original: SealedContent | null
}

/** An operation between two states of a registry: it also knows where the original stood. */
export interface PlannedOperation extends Operation {
  readonly originalRevision: EntryRevision | null
}

/** An operation as a caller sent it, its content checked, not yet held against any state. */
export interface SubmittedOperation {
  /** Index into the operations sent. */
  readonly index: number
  readonly kind: OperationKind
  readonly id: EntryId
  /** Null for DELETE. */
  readonly content: SealedContent | null
  readonly ifRevision: number | null
  /** Of a DELETE: even while instances of the entry live. */
  readonly force?: boolean
}
