import { flatMapInSteps, forEachInSteps, type Steps } from '../algorithms/steps.js'
import type { EntryRevision, SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { Problem } from '../errors/problem.js'
import type { Change } from '../history/change.js'
import { inverse } from '../history/inverse.js'
import type { SubmittedOperation } from '../ordering/operation.js'

/**
 * Computes the operations that revert a version, or a problem for each entry that has changed since: the inverse would undo
 * a later change, too. Contents are compared by value.
 */
export function* decideRevert(
  version: number,
  changes: readonly Change[],
  current: (id: EntryId) => EntryRevision | undefined,
  force: boolean,
): Steps<{ readonly operations: readonly SubmittedOperation[]; readonly problems: readonly Problem[] }> {
  const left = new Map<EntryId, SealedContent | null>()
  yield* forEachInSteps(changes, ({ id, entry }) => left.set(id, entry?.content ?? null))
  const problems = yield* flatMapInSteps(left, ([id, content]) => {
    const now = current(id)
    return now?.content.digest === content?.digest ? [] : [conflict(version, id, now)]
  })
  const operations: SubmittedOperation[] = []
  yield* forEachInSteps(changes, ({ kind, id, entry, previous }) => {
    const [undo] = inverse([{ kind, id, content: entry?.content ?? null, original: previous?.content ?? null }])
    const index = changes.length - 1 - operations.length
    operations.push({ index, kind: undo!.kind, id, content: undo!.content, ifRevision: null, force })
  })
  return { operations: operations.reverse(), problems }
}

function conflict(version: number, id: EntryId, now: EntryRevision | undefined): Problem {
  const happened = now === undefined ? 'was deleted' : `was changed at revision ${now.revision}`
  const message = `${id} has changed since version ${version}: it ${happened}. Revert the later versions first, or send a changeset.`
  return { code: 'CONFLICT', message, entryId: id, ...(now === undefined ? {} : { current: now }) }
}
