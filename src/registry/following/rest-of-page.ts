import { partitionPoint } from '../../core/entry/partition-point.js'
import type { Change } from '../../core/history/change.js'
import type { LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { comparePositions } from './log-position.js'

/** What of a page comes after a position; `changes` are those of the page that matter, in their order. */
export function restOfPage(page: LogPage, changes: readonly Change[], position: LogPosition): LogPage {
  const { transitions } = page
  const isOver = (revision: number) =>
    revision < position.revision || (revision === position.revision && position.position === Infinity)
  const told = partitionPoint(transitions, ({ revision }) => isOver(revision))
  const seen = partitionPoint(changes, (change) => comparePositions(change, position) <= 0)
  return {
    ...page,
    transitions: told === 0 ? transitions : transitions.slice(told),
    changes: seen === 0 ? changes : changes.slice(seen),
  }
}
