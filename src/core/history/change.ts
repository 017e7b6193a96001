import type { EntryRevision } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { OperationKind } from '../ordering/operation.js'

/** What one transition did to one entry, as the log tells it. */
export interface Change {
  readonly revision: number
  /** Place within its revision, from 0, without gaps: the order in which the changes may be applied. */
  readonly position: number
  readonly kind: OperationKind
  readonly id: EntryId
  /** What the entry holds afterwards; null for DELETE. */
  readonly entry: EntryRevision | null
  /** What it held before; null for CREATE. */
  readonly previous: EntryRevision | null
}
