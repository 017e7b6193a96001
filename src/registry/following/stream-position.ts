import type { LogPosition } from '../../store/contract/history-reader.js'

/** Where a stream stands that follows the log. */
export interface StreamPosition {
  readonly position: LogPosition
  /** The head's revision when the stream began: from its end on it is synced. */
  readonly target: number
}

/** Given to a stream by who wants to know where it stands, or to begin where another one of the same arguments stood. */
export interface PositionTracker {
  /** Null begins as the arguments say. */
  readonly from: StreamPosition | null
  /** Of the item given last; null before the first, and where it has no place in the log (within the pages of `initial`). */
  at: StreamPosition | null
  /** How far it has scanned, which may be further than it has told; null before it begins. */
  scanned: (() => LogPosition) | null
}

/** Whether a stream that stands here has told all that there was when it began. */
export function isSyncedAt({ position: { revision, position }, target }: StreamPosition): boolean {
  return revision > target || (revision === target && position === Infinity)
}
