import { sortInSteps } from '../algorithms/sort-in-steps.js'
import { flatMapInSteps, forEachInSteps, type Steps } from '../algorithms/steps.js'
import type { ExtractReferences } from '../dependency/reference.js'
import type { EntryRevision, SealedContent } from '../entry/entry.js'
import { type EntryId, storedIdFault } from '../entry/entry-id.js'
import type { ProblemCode } from '../errors/codes.js'
import type { Problem } from '../errors/problem.js'
import type { Head } from '../history/version.js'
import type { OperationKind, PlannedOperation, SubmittedOperation } from '../ordering/operation.js'
import { orderOperations } from '../ordering/order-operations.js'
import { duplicateOperations } from './duplicate-operations.js'
import { entryInUse } from './entry-in-use.js'

/** The state that a changeset is checked against. */
export interface StateView {
  readonly head: Head
  /** The current entry; undefined if it does not exist. */
  entry(id: EntryId): EntryRevision | undefined
  /** The revision of the id's last change, also a delete; 0 if it never changed. */
  lastChanged(id: EntryId): number
  /** Changes before it were compacted. Default: 0. */
  readonly oldestRevision?: number
  /** The number of the entry's live instances. */
  instances(id: EntryId): number
}

/** A changeset as it was sent. */
export interface SubmittedChangeset {
  readonly operations: readonly SubmittedOperation[]
  readonly base: number | null
  /** Problems found without any state. Operations named here need not be among `operations`. */
  readonly problems: readonly Problem[]
}

/** All problems of a changeset, or its operations in order. */
export type ChangesetDecision =
  | { readonly problems: readonly Problem[] }
  | { readonly operations: readonly PlannedOperation[] }

/**
 * Checks a changeset against a state. Returns either all of its problems, first those of the changeset and then by
 * operation, or its operations in order, each with its original.
 */
export function* decideChangeset(
  changeset: SubmittedChangeset,
  expectedHead: number | null,
  view: StateView,
  references: Pick<ExtractReferences, 'targets'>,
): Steps<ChangesetDecision> {
  const conflicts = yield* conflictsWithBase(changeset, view)
  const conflicted = new Set(conflicts.map((problem) => problem.operation))
  const repeated = yield* duplicateOperations(changeset.operations, changeset.problems)
  const duplicates = repeated.filter((problem) => !conflicted.has(problem.operation))
  const skipped = new Set(conflicted)
  for (const { operation } of duplicates) skipped.add(operation)
  const replaced = yield* replacedIds(changeset.operations, duplicates)

  const found = yield* flatMapInSteps(changeset.operations, (operation) =>
    skipped.has(operation.index)
      ? []
      : CHECKS[operation.kind](operation, replaced.get(operation.id), view.entry(operation.id), view),
  )
  const problems = [
    ...changesetProblems(changeset, expectedHead, view),
    ...changeset.problems,
    ...conflicts,
    ...duplicates,
    ...found,
  ]
  // Sorting is stable, so the problems of one operation keep their order.
  if (problems.length > 0)
    return { problems: yield* sortInSteps(problems, (a, b) => (a.operation ?? -1) - (b.operation ?? -1)) }
  const planned = yield* plan(changeset.operations, replaced, view)
  return { operations: yield* orderOperations(planned, references) }
}

/** The problem of an expected head that is not the head. */
export function headMoved(expected: number, head: Head): Problem {
  const message = `The head is version ${head.version}, not ${expected}. Check what changed and send it again with expectedHead ${head.version}.`
  return { code: 'HEAD_MOVED', message }
}

function changesetProblems(
  { operations, base, problems }: SubmittedChangeset,
  expectedHead: number | null,
  { head, oldestRevision = 0 }: StateView,
): Problem[] {
  const found: Problem[] = []
  // The operations of a changeset that is too large may not have been read, so it does not count as empty.
  const wasSent = problems.some((problem) => problem.operation !== undefined || problem.code === 'TOO_LARGE')
  if (operations.length === 0 && !wasSent) {
    found.push({ code: 'EMPTY_CHANGESET', message: 'The changeset has no operations. Send at least one.' })
  }
  if (expectedHead !== null && expectedHead !== head.version) {
    found.push(headMoved(expectedHead, head))
  }
  if (base !== null && !isRevision(base, head)) {
    const message = `base is ${base}, but the registry's revisions are 0 to ${head.revision}. Send the revision that the operations are based on.`
    found.push({ code: 'REVISION_NOT_FOUND', message })
  } else if (base !== null && base < oldestRevision) {
    const message =
      `base is ${base}, but changes before revision ${oldestRevision} were compacted, so conflicts cannot be detected. ` +
      `Read the current entries and send it again with base ${head.revision}.`
    found.push({ code: 'COMPACTED', message })
  }
  return found
}

function isRevision(number: number, head: Head): boolean {
  return number >= 0 && number <= head.revision
}

/**
 * An operation whose entry has changed since the base has this problem and no other. Deletes before the oldest revision
 * are not reported, because some stores drop them at once and others later.
 */
function* conflictsWithBase({ operations, base }: SubmittedChangeset, view: StateView): Steps<Problem[]> {
  if (base === null || !isRevision(base, view.head)) return []
  return yield* flatMapInSteps(operations, (operation) => {
    const last = view.lastChanged(operation.id)
    if (last <= base || last === 0) return []
    const current = view.entry(operation.id)
    if (current === undefined && last < (view.oldestRevision ?? 0)) return []
    const happened = current === undefined ? 'was deleted' : 'was changed'
    const message = `${operation.id} ${happened} at revision ${last}, after base ${base}. Read the current entry and send the operation again.`
    return [problemOf('CONFLICT', operation, message, current)]
  })
}

/** Finds the problems of an operation of each kind, given the current entry. */
const CHECKS: Readonly<
  Record<
    OperationKind,
    (
      operation: SubmittedOperation,
      /** The kind that the entry has after its replacement; undefined if it is not replaced. */
      replacedBy: string | undefined,
      current: EntryRevision | undefined,
      view: StateView,
    ) => Problem[]
  >
> = {
  CREATE: (operation, replacedBy, current) => {
    if (current === undefined || replacedBy !== undefined) return []
    return [
      problemOf(
        'ENTRY_EXISTS',
        operation,
        `${operation.id} already exists. Update it, or delete and create it in one changeset.`,
        current,
      ),
    ]
  },
  UPDATE: (operation, _replacedBy, current) => {
    if (current === undefined) return [notFound(operation, 'Create it, or omit the update.')]
    const { kind } = operation.content!
    const problems = movedSince(operation, current)
    if (kind !== current.content.kind) {
      const message = `${operation.id} has the kind ${current.content.kind}, which an update cannot change to ${kind}. Delete and create it in one changeset.`
      problems.push(problemOf('KIND_MISMATCH', operation, message, current))
    }
    return problems
  },
  DELETE: (operation, replacedBy, current, view) => {
    if (current === undefined) {
      const fault = storedIdFault(operation.id)
      if (fault !== undefined) return [problemOf('INVALID_ENTRY', operation, fault, undefined)]
      return [notFound(operation, 'Omit the delete.')]
    }
    // A replacement of the same kind is an update. One of another kind takes from its users what they use.
    const inUse =
      replacedBy === current.content.kind
        ? undefined
        : entryInUse(operation.id, view.instances(operation.id), operation.force === true)
    return [
      ...movedSince(operation, current),
      ...(inUse === undefined ? [] : [{ ...inUse, operation: operation.index, current }]),
    ]
  },
}

function notFound(operation: SubmittedOperation, remedy: string): Problem {
  return problemOf('ENTRY_NOT_FOUND', operation, `There is no entry ${operation.id}. ${remedy}`, undefined)
}

function movedSince(operation: SubmittedOperation, current: EntryRevision): Problem[] {
  const { id, ifRevision } = operation
  if (ifRevision === null || ifRevision === current.revision) return []
  const message = `${id} has revision ${current.revision}, not ${ifRevision}. Read the current entry and send the operation again.`
  return [problemOf('CONFLICT', operation, message, current)]
}

function problemOf(
  code: ProblemCode,
  { id, index }: SubmittedOperation,
  message: string,
  current: EntryRevision | undefined,
): Problem {
  return { code, message, entryId: id, operation: index, ...(current === undefined ? {} : { current }) }
}

/**
 * Ids with a delete and a create and nothing else, with the kind that is created. With a third operation the first is
 * checked by itself.
 */
function* replacedIds(
  operations: readonly SubmittedOperation[],
  duplicates: readonly Problem[],
): Steps<ReadonlyMap<EntryId, string>> {
  const repeated = new Set<string | undefined>(duplicates.map(({ entryId }) => entryId))
  const deleted = new Set<EntryId>()
  yield* forEachInSteps(operations, ({ kind, id }) => {
    if (kind === 'DELETE' && !repeated.has(id)) deleted.add(id)
  })
  const replaced = new Map<EntryId, string>()
  if (deleted.size === 0) return replaced
  yield* forEachInSteps(operations, ({ kind, id, content }) => {
    if (kind === 'CREATE' && deleted.has(id)) replaced.set(id, content!.kind)
  })
  return replaced
}

function* plan(
  operations: readonly SubmittedOperation[],
  replaced: ReadonlyMap<EntryId, string>,
  view: StateView,
): Steps<PlannedOperation[]> {
  const updates = new Map<EntryId, SealedContent>()
  yield* forEachInSteps(operations, ({ kind, id, content }) => {
    const original = view.entry(id)?.content
    if (kind === 'CREATE' && replaced.has(id) && content!.kind === original!.kind) updates.set(id, content!)
  })
  return yield* flatMapInSteps(operations, ({ kind, id, content }): PlannedOperation[] => {
    const originalRevision = kind === 'CREATE' ? null : (view.entry(id) ?? null)
    const original = originalRevision?.content ?? null
    const update = updates.get(id)
    // A replacement of the same kind is one update in the place of the delete. The create is dropped.
    if (update === undefined) return [{ kind, id, content, original, originalRevision }]
    return kind === 'DELETE' ? [{ kind: 'UPDATE', id, content: update, original, originalRevision }] : []
  })
}
