import type { LogPosition } from '../../store/contract/history-reader.js'

/** Position of a stream that follows the log. */
export interface StreamPosition {
  readonly position: LogPosition
  /** The head's revision when the stream began. From the end of that revision on, the stream is synced. */
  readonly target: number
}

/** Tracks the position of a stream, or starts it at the position of another stream with the same arguments. */
export interface PositionTracker {
  /** Where to start. Null starts at the position that the arguments define. */
  readonly from: StreamPosition | null
  /** Position of the latest item. Null before the first, and within the initial pages, which are not in the log. */
  at: StreamPosition | null
  /** How far the stream has scanned, which may be beyond its latest item. Null before it starts. */
  scanned: (() => LogPosition) | null
}

/** Whether a stream at this position has sent everything that existed when it began. */
export function isSyncedAt({ position: { revision, position }, target }: StreamPosition): boolean {
  return revision > target || (revision === target && position === Infinity)
}
