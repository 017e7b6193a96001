import { sortInSteps } from '../algorithms/sort-in-steps.js'
import { forEachInSteps, ITEMS_PER_STEP, type Steps } from '../algorithms/steps.js'
import { isEntryId } from '../entry/entry-id.js'
import type { Problem } from '../errors/problem.js'
import type { OperationKind, SubmittedOperation } from '../ordering/operation.js'

/** UNREAD was refused for its content. It is a create or an update, because a delete has no content. */
interface Occurrence {
  readonly index: number
  readonly kind: OperationKind | 'UNREAD'
}

/** Reports DUPLICATE_OPERATION for every operation after the first of its id, except the two of a replacement. */
export function* duplicateOperations(
  operations: readonly SubmittedOperation[],
  problems: readonly Problem[],
): Steps<readonly Problem[]> {
  const found: Problem[] = []
  const byId = yield* occurrencesById(operations, problems)
  let visited = 0
  for (const [id, occurrences] of byId) {
    if (++visited % ITEMS_PER_STEP === 0) yield
    if (occurrences.length === 1 || isReplacement(occurrences)) continue
    const [first, ...others] = yield* sortInSteps(occurrences, (a, b) => a.index - b.index)
    const message = `Operation ${first!.index} is for ${id}, too. Send one for each id, or a delete and a create to replace the entry.`
    yield* forEachInSteps(others, ({ index }) =>
      found.push({ code: 'DUPLICATE_OPERATION', message, entryId: id, operation: index }),
    )
  }
  return found
}

function* occurrencesById(
  operations: readonly SubmittedOperation[],
  problems: readonly Problem[],
): Steps<ReadonlyMap<string, readonly Occurrence[]>> {
  const byId = new Map<string, Occurrence[]>()
  const add = (id: string, occurrence: Occurrence) => {
    const known = byId.get(id)
    if (known === undefined) byId.set(id, [occurrence])
    else known.push(occurrence)
  }
  yield* forEachInSteps(operations, ({ id, index, kind }) => add(id, { index, kind }))
  if (problems.length === 0) return byId
  // An operation may have several problems, and counts once.
  const seen = new Set<number>()
  yield* forEachInSteps(operations, ({ index }) => seen.add(index))
  yield* forEachInSteps(problems, ({ entryId, isMalformedId, operation: index }) => {
    if (entryId === undefined || index === undefined || isMalformedId === true || seen.has(index)) return
    if (!isEntryId(entryId)) return
    seen.add(index)
    add(entryId, { index, kind: 'UNREAD' })
  })
  return byId
}

/** A delete and a create, in either order. */
function isReplacement(occurrences: readonly Occurrence[]): boolean {
  if (occurrences.length !== 2) return false
  const deletes = occurrences.filter(({ kind }) => kind === 'DELETE').length
  const updates = occurrences.filter(({ kind }) => kind === 'UPDATE').length
  return deletes === 1 && updates === 0
}
