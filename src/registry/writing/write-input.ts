import type { SubmittedId } from '../../core/entry/entry-id.js'
import type { OperationKind } from '../../core/ordering/operation.js'

/** An operation as it was sent. Only its JSON types have been checked. */
export interface RawOperation {
  readonly kind: OperationKind
  readonly id: SubmittedId
  /** Missing for DELETE, as are `meta` and `data`. */
  readonly entryKind?: string
  readonly meta?: unknown
  readonly data?: unknown
  readonly ifRevision?: number | null
  /** Deletes the entry even while it has live instances. */
  readonly force?: boolean
}

/** Input of applyChangeset. */
export interface ApplyChangesetInput {
  readonly operations: readonly RawOperation[]
  readonly base?: number | null
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
}

/** Input of applyVersion. */
export interface ApplyVersionInput {
  readonly version: number
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
  /** Also deletes entries with live instances. */
  readonly force?: boolean
}

/** Input of revertVersion. */
export interface RevertVersionInput {
  /** The version whose changeset is reverted. */
  readonly version: number
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
  /** Also deletes entries with live instances. */
  readonly force?: boolean
}

/** Author of a write. */
export interface WriteContext {
  readonly author: string | null
}
