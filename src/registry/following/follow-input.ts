import type { Criteria } from '../../core/criteria/criteria.js'
import type { Change } from '../../core/history/change.js'
import type { PositionTracker } from './stream-position.js'

/** Input of `follow`: the filter and the start position. */
export interface FollowInput {
  /** The cursor of a batch. Null starts at the head, or with `initial` at the first matching entry. */
  readonly after: string | null
  /** Starts right after this revision, if there is no cursor. */
  readonly afterRevision?: number | null
  /** Null follows everything. The stream then has a batch for every revision, even an empty one. */
  readonly criteria: Criteria | null
  readonly initial: boolean
  /** Ends the stream when it aborts. */
  readonly signal: AbortSignal
  /** Lets several clients share one stream. */
  readonly tracker?: PositionTracker
}

/** Changes of one revision. A batch never holds two revisions. */
export interface ChangeBatch {
  readonly cursor: string
  readonly revision: number
  /** The head at that revision. */
  readonly version: number
  /**
   * Changes in the view of the filter. An update that makes an entry match is a CREATE, one that ends the match is a
   * DELETE.
   */
  readonly changes: readonly Change[]
  /** False if more batches of the same revision follow. */
  readonly complete: boolean
  readonly synced: boolean
}
