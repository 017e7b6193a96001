import type { EntryRevision } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { OperationKind } from '../ordering/operation.js'

/** The change of one entry by one transition, as in the log. */
export interface Change {
  readonly revision: number
  /** Position within its revision, from 0 without gaps: the order in which to apply the changes. */
  readonly position: number
  readonly kind: OperationKind
  readonly id: EntryId
  /** The entry afterwards; null for DELETE. */
  readonly entry: EntryRevision | null
  /** The entry before; null for CREATE. */
  readonly previous: EntryRevision | null
}
