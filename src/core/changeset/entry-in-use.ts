import type { EntryId } from '../entry/entry-id.js'
import type { Problem } from '../errors/problem.js'

/** Why a delete is refused while others use the entry; undefined where nobody does, or where it is forced. */
export function entryInUse(entryId: EntryId, live: number, force: boolean): Problem | undefined {
  if (live === 0 || force) return undefined
  const count = live === 1 ? '1 live instance' : `${live} live instances`
  const message = `${entryId} has ${count}; let them be released or expire, or send it with force, which ends them`
  return { code: 'ENTRY_IN_USE', message, entryId }
}
