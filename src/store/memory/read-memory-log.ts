import type { Head } from '../../core/history/version.js'
import type { HistoryReader, LogPosition } from '../contract/history-reader.js'
import { logCompactedError } from '../planning/compacted-errors.js'
import type { MemoryLog } from './memory-log.js'

/** Reads a page of the log after a position. @throws RegistryError COMPACTED if the position is below `oldest` */
export function readMemoryLog(
  log: MemoryLog,
  after: LogPosition,
  limit: number,
  head: Head,
  oldest: number,
): Awaited<ReturnType<HistoryReader['log']>> {
  if (after.revision < oldest) throw logCompactedError(after.revision, oldest)
  const transitions = []
  const changes = []
  let upTo: LogPosition = after
  const first = after.position === Infinity ? after.revision + 1 : Math.max(1, after.revision)
  for (let revision = first; revision <= head.revision; revision++) {
    transitions.push(log.transitions[revision - 1]!)
    const rest = log
      .changesAt(revision)
      .filter(({ position }) => revision > after.revision || position > after.position)
    const taken = rest.slice(0, limit - changes.length)
    changes.push(...taken)
    upTo = { revision, position: taken.length < rest.length ? (taken.at(-1)?.position ?? upTo.position) : Infinity }
    if (changes.length >= limit) break
  }
  return { transitions, changes, upTo, head }
}
