import { isEntryId } from '../entry/entry-id.js'
import type { Problem } from '../errors/problem.js'
import type { OperationKind, SubmittedOperation } from '../ordering/operation.js'

/** UNREAD was refused for its content. It is a create or an update, because a delete has no content. */
interface Occurrence {
  readonly index: number
  readonly kind: OperationKind | 'UNREAD'
}

/** Reports DUPLICATE_OPERATION for every operation after the first of its id, except the two of a replacement. */
export function duplicateOperations(
  operations: readonly SubmittedOperation[],
  problems: readonly Problem[],
): Problem[] {
  return [...occurrencesById(operations, problems)].flatMap(([id, occurrences]) => {
    if (occurrences.length === 1 || isReplacement(occurrences)) return []
    const [first, ...others] = occurrences.sort((a, b) => a.index - b.index)
    return others.map(
      ({ index }): Problem => ({
        code: 'DUPLICATE_OPERATION',
        message: `Operation ${first!.index} is for ${id}, too. Send one for each id, or a delete and a create to replace the entry.`,
        entryId: id,
        operation: index,
      }),
    )
  })
}

function occurrencesById(
  operations: readonly SubmittedOperation[],
  problems: readonly Problem[],
): Map<string, Occurrence[]> {
  const byId = new Map<string, Occurrence[]>()
  const add = (id: string, occurrence: Occurrence) => {
    const known = byId.get(id)
    if (known === undefined) byId.set(id, [occurrence])
    else if (known.every(({ index }) => index !== occurrence.index)) known.push(occurrence)
  }
  for (const { id, index, kind } of operations) add(id, { index, kind })
  for (const { entryId, isMalformedId, operation: index } of problems) {
    if (entryId !== undefined && index !== undefined && isMalformedId !== true && isEntryId(entryId))
      add(entryId, { index, kind: 'UNREAD' })
  }
  return byId
}

/** A delete and a create, in either order. */
function isReplacement(occurrences: readonly Occurrence[]): boolean {
  const deletes = occurrences.filter(({ kind }) => kind === 'DELETE').length
  const updates = occurrences.filter(({ kind }) => kind === 'UPDATE').length
  return occurrences.length === 2 && deletes === 1 && updates === 0
}
