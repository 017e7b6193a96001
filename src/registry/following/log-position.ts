import type { LogPosition } from '../../store/contract/history-reader.js'

export function comparePositions(a: LogPosition, b: LogPosition): number {
  if (a.revision !== b.revision) return a.revision - b.revision
  return a.position === b.position ? 0 : a.position - b.position
}

export function endOfRevision(revision: number): LogPosition {
  return { revision, position: Infinity }
}
