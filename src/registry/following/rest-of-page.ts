import { partitionPoint } from '../../core/algorithms/partition-point.js'
import type { Change } from '../../core/history/change.js'
import type { LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { comparePositions } from './log-position.js'

/**
 * Returns the part of a page that comes after a position.
 * @param changes - the candidate changes of the page, in their order
 */
export function restOfPage(page: LogPage, changes: readonly Change[], position: LogPosition): LogPage {
  const { transitions } = page
  const isOver = (revision: number) =>
    revision < position.revision || (revision === position.revision && position.position === Infinity)
  const scannedTransitions = partitionPoint(transitions, ({ revision }) => isOver(revision))
  const scannedChanges = partitionPoint(changes, (change) => comparePositions(change, position) <= 0)
  return {
    ...page,
    transitions: scannedTransitions === 0 ? transitions : transitions.slice(scannedTransitions),
    changes: scannedChanges === 0 ? changes : changes.slice(scannedChanges),
  }
}
