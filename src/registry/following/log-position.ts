import type { LogPosition } from '../../store/contract/history-reader.js'

/** Compares two positions in the log: negative if `a` comes before `b`. */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  if (a.revision !== b.revision) return a.revision - b.revision
  return a.position === b.position ? 0 : a.position - b.position
}

/** Returns the position after all changes of a revision. */
export function endOfRevision(revision: number): LogPosition {
  return { revision, position: Infinity }
}
