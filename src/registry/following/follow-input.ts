import type { Criteria } from '../../core/criteria/criteria.js'
import type { Change } from '../../core/history/change.js'
import type { PositionTracker } from './stream-position.js'

export interface FollowInput {
  /** A batch's cursor; null begins at the head, or with `initial` at the beginning of the matching entries. */
  readonly after: string | null
  /** Null follows everything and hears of every revision, of empty ones too. */
  readonly criteria: Criteria | null
  readonly initial: boolean
  /** Ends the stream. */
  readonly signal: AbortSignal
  /** For who lets several clients share one stream. */
  readonly tracker?: PositionTracker
}

/** Changes of one revision, never of two. */
export interface ChangeBatch {
  readonly cursor: string
  readonly revision: number
  /** The head at that revision. */
  readonly version: number
  /** As the filter sees them: an update by which an entry begins to match is a CREATE, one by which it ceases a DELETE. */
  readonly changes: readonly Change[]
  /** False where more of the same revision follows. */
  readonly complete: boolean
  readonly synced: boolean
}
