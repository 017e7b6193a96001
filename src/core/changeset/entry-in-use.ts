import type { EntryRevision } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { Problem } from '../errors/problem.js'

/** The problem of deleting an entry with live instances; undefined if there are none or the delete is forced. */
export function entryInUse(entryId: EntryId, live: number, force: boolean): Problem | undefined {
  if (live === 0 || force) return undefined
  const count = live === 1 ? '1 live instance' : `${live} live instances`
  const message = `${entryId} has ${count}. Wait until they are released or expire, or send it with force, which ends them.`
  return { code: 'ENTRY_IN_USE', message, entryId }
}

/** Whether the instances of an entry end with a change: it is deleted, or replaced by another kind. */
export function endsInstances(
  before: EntryRevision | null | undefined,
  after: EntryRevision | null | undefined,
): boolean {
  return before != null && after?.content.kind !== before.content.kind
}
