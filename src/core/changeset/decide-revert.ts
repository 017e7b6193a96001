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
export function decideRevert(
  version: number,
  changes: readonly Change[],
  current: (id: EntryId) => EntryRevision | undefined,
  force: boolean,
): { readonly operations: readonly SubmittedOperation[]; readonly problems: readonly Problem[] } {
  const left = new Map<EntryId, SealedContent | null>()
  for (const { id, entry } of changes) left.set(id, entry?.content ?? null)
  const problems = [...left].flatMap(([id, content]) => {
    const now = current(id)
    return now?.content.digest === content?.digest ? [] : [conflict(version, id, now)]
  })
  const operations = inverse(
    changes.map(({ kind, id, entry, previous }) => ({
      kind,
      id,
      content: entry?.content ?? null,
      original: previous?.content ?? null,
    })),
  )
  return {
    operations: operations.map(({ kind, id, content }, index) => ({
      index,
      kind,
      id,
      content,
      ifRevision: null,
      force,
    })),
    problems,
  }
}

function conflict(version: number, id: EntryId, now: EntryRevision | undefined): Problem {
  const happened = now === undefined ? 'was deleted' : `was changed at revision ${now.revision}`
  const message = `${id} has changed since version ${version}: it ${happened}. Revert the later versions first, or send a changeset.`
  return { code: 'CONFLICT', message, entryId: id, ...(now === undefined ? {} : { current: now }) }
}
