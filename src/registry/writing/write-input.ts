import type { SubmittedId } from '../../core/entry/entry-id.js'
import type { OperationKind } from '../../core/ordering/operation.js'

/** An operation as it was sent: only its JSON types are known to be right. */
export interface RawOperation {
  readonly kind: OperationKind
  readonly id: SubmittedId
  /** The rest is left out for DELETE. */
  readonly entryKind?: string
  readonly meta?: unknown
  readonly data?: unknown
  readonly ifRevision?: number | null
  /** Of a DELETE: even while instances of the entry live. */
  readonly force?: boolean
}

export interface ApplyChangesetInput {
  readonly operations: readonly RawOperation[]
  readonly base?: number | null
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
}

export interface ApplyVersionInput {
  readonly version: number
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
  /** Even where it deletes entries with live instances. */
  readonly force?: boolean
}

export interface RevertVersionInput {
  /** Whose changeset is to be taken back. */
  readonly version: number
  readonly expectedHead?: number | null
  readonly message?: string | null
  readonly dryRun?: boolean | null
  readonly idempotencyKey?: string | null
  /** Even where it deletes entries with live instances. */
  readonly force?: boolean
}

/** Who writes, and until when the answer is of use. */
export interface WriteContext {
  readonly author: string | null
}
