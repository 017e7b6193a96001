import type { LogPosition } from '../../store/contract/history-reader.js'

/** Where a stream stands that follows the log. */
export interface StreamPlace {
  readonly position: LogPosition
  /** The head's revision when the stream began: from its end on it is synced. */
  readonly target: number
}

/** Given to a stream by who wants to know where it stands, or to begin where another one of the same arguments stood. */
export interface FollowPlace {
  /** Null begins as the arguments say. */
  readonly from: StreamPlace | null
  /** Of the item given last; null before the first, and where it has no place in the log (within the pages of `initial`). */
  at: StreamPlace | null
  /** How far it has looked, which may be further than it has told; null before it begins. */
  looked: (() => LogPosition) | null
}

/** Whether a stream that stands here has told all that there was when it began. */
export function isSyncedAt({ position: { revision, position }, target }: StreamPlace): boolean {
  return revision > target || (revision === target && position === Infinity)
}
