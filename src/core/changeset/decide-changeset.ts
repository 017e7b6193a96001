import type { ExtractReferences } from '../dependency/reference.js'
import type { EntryRevision, SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { ProblemCode } from '../errors/codes.js'
import type { Problem } from '../errors/problem.js'
import type { Head } from '../history/version.js'
import type { OperationKind, PlannedOperation, SubmittedOperation } from '../ordering/operation.js'
import { orderOperations } from '../ordering/order-operations.js'
import { duplicateOperations } from './duplicate-operations.js'
import { entryInUse } from './entry-in-use.js'

/** The state that a changeset is held against. */
export interface StateView {
  readonly head: Head
  /** The entry as it stands; undefined where there is none. */
  entry(id: EntryId): EntryRevision | undefined
  /** The revision of the last change of that id, a delete's too; 0 where it never changed. */
  lastChanged(id: EntryId): number
  /** Changes before it have been compacted away; 0 unless told. */
  readonly oldestRevision?: number
  /** How many instances of it live. */
  instances(id: EntryId): number
}

/** A changeset as it was sent. */
export interface SubmittedChangeset {
  readonly operations: readonly SubmittedOperation[]
  readonly base: number | null
  /** Found before any state was looked at; an operation named here need not be among `operations`. */
  readonly problems: readonly Problem[]
}

/**
 * Holds a changeset against a state: either everything that is wrong with it, the changeset's own problems
 * first and then by operation, or its operations in order, each with the original that it changes.
 */
export function decideChangeset(
  changeset: SubmittedChangeset,
  expectedHead: number | null,
  view: StateView,
  references: ExtractReferences,
): { problems: Problem[] } | { operations: PlannedOperation[] } {
  const conflicts = conflictsWithBase(changeset, view)
  const conflicted = new Set(conflicts.map((problem) => problem.operation))
  const duplicates = duplicateOperations(changeset.operations, changeset.problems).filter(
    (problem) => !conflicted.has(problem.operation),
  )
  const passedOver = new Set([...conflicted, ...duplicates.map((problem) => problem.operation)])
  const replaced = replacedIds(changeset.operations, duplicates)

  const problems = [
    ...changesetProblems(changeset, expectedHead, view),
    ...changeset.problems,
    ...conflicts,
    ...duplicates,
    ...changeset.operations.flatMap((operation) =>
      passedOver.has(operation.index)
        ? []
        : CHECKS[operation.kind](operation, replaced.has(operation.id), view.entry(operation.id), view),
    ),
  ]
  // Sorting is stable: problems of one operation stay in the order in which they were found.
  if (problems.length > 0) return { problems: problems.sort((a, b) => (a.operation ?? -1) - (b.operation ?? -1)) }
  return { operations: orderOperations(plan(changeset.operations, replaced, view), references) }
}

/** Another version is the head than the one that was expected. */
export function headMoved(expected: number, head: Head): Problem {
  const message = `the head is version ${head.version}, not ${expected}; look at what has changed and send it anew with expectedHead ${head.version}`
  return { code: 'HEAD_MOVED', message }
}

function changesetProblems(
  { operations, base, problems }: SubmittedChangeset,
  expectedHead: number | null,
  { head, oldestRevision = 0 }: StateView,
): Problem[] {
  const found: Problem[] = []
  // A changeset that is too large may have had its operations left unread: it is not empty.
  const wasSent = problems.some((problem) => problem.operation !== undefined || problem.code === 'TOO_LARGE')
  if (operations.length === 0 && !wasSent) {
    found.push({ code: 'EMPTY_CHANGESET', message: 'the changeset has no operations; send at least one' })
  }
  if (expectedHead !== null && expectedHead !== head.version) {
    found.push(headMoved(expectedHead, head))
  }
  if (base !== null && !isRevision(base, head)) {
    const message = `base is ${base}, but the registry's revisions are 0 to ${head.revision}; send the revision that the operations were prepared against`
    found.push({ code: 'REVISION_NOT_FOUND', message })
  } else if (base !== null && base < oldestRevision) {
    const message =
      `base is ${base}, and what changed before revision ${oldestRevision} has been compacted away, so conflicts cannot be told; ` +
      `look at the entries as they stand and send it anew with base ${head.revision}`
    found.push({ code: 'COMPACTED', message })
  }
  return found
}

function isRevision(number: number, head: Head): boolean {
  return number >= 0 && number <= head.revision
}

/**
 * An operation whose entry has changed since the base has this problem and no other. That an entry was deleted before the
 * oldest revision is forgotten, by one store at once and by another when it comes to it: so nobody is told.
 */
function conflictsWithBase({ operations, base }: SubmittedChangeset, view: StateView): Problem[] {
  if (base === null || !isRevision(base, view.head)) return []
  return operations.flatMap((operation) => {
    const last = view.lastChanged(operation.id)
    if (last <= base || last === 0) return []
    const current = view.entry(operation.id)
    if (current === undefined && last < (view.oldestRevision ?? 0)) return []
    const happened = current === undefined ? 'was deleted' : 'was changed'
    const message = `${operation.id} ${happened} at revision ${last}, after base ${base}; look at it as it stands and send the operation anew`
    return [problemOf('CONFLICT', operation, message, current)]
  })
}

/** What is wrong with an operation of each kind, given what stands there. */
const CHECKS: Readonly<
  Record<
    OperationKind,
    (operation: SubmittedOperation, replaces: boolean, current: EntryRevision | undefined, view: StateView) => Problem[]
  >
> = {
  CREATE: (operation, replaces, current) => {
    if (current === undefined || replaces) return []
    return [
      problemOf(
        'ENTRY_EXISTS',
        operation,
        `${operation.id} is there already; update it, or delete and create it in one changeset`,
        current,
      ),
    ]
  },
  UPDATE: (operation, _replaces, current) => {
    if (current === undefined) return [notFound(operation, 'create it, or leave the update out')]
    const { kind } = operation.content!
    const problems = movedSince(operation, current)
    if (kind !== current.content.kind) {
      const message = `${operation.id} is a ${current.content.kind}; an update cannot make it a ${kind}: delete and create it in one changeset`
      problems.push(problemOf('KIND_MISMATCH', operation, message, current))
    }
    return problems
  },
  DELETE: (operation, replaces, current, view) => {
    if (current === undefined) return [notFound(operation, 'leave the delete out')]
    // Who replaces an entry leaves it to its users.
    const inUse = replaces
      ? undefined
      : entryInUse(operation.id, view.instances(operation.id), operation.force === true)
    return [
      ...movedSince(operation, current),
      ...(inUse === undefined ? [] : [{ ...inUse, operation: operation.index, current }]),
    ]
  },
}

function notFound(operation: SubmittedOperation, remedy: string): Problem {
  return problemOf('ENTRY_NOT_FOUND', operation, `there is no entry ${operation.id}; ${remedy}`, undefined)
}

function movedSince(operation: SubmittedOperation, current: EntryRevision): Problem[] {
  const { id, ifRevision } = operation
  if (ifRevision === null || ifRevision === current.revision) return []
  const message = `${id} is of revision ${current.revision}, not ${ifRevision}; look at it as it stands and send the operation anew`
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

/** Ids with a delete and a create and nothing else: where a third stands, the first is judged by itself. */
function replacedIds(operations: readonly SubmittedOperation[], duplicates: readonly Problem[]): ReadonlySet<EntryId> {
  const repeated = new Set<string | undefined>(duplicates.map(({ entryId }) => entryId))
  const deleted = new Set(
    operations.filter(({ kind, id }) => kind === 'DELETE' && !repeated.has(id)).map(({ id }) => id),
  )
  return new Set(operations.filter(({ kind, id }) => kind === 'CREATE' && deleted.has(id)).map(({ id }) => id))
}

function plan(
  operations: readonly SubmittedOperation[],
  replaced: ReadonlySet<EntryId>,
  view: StateView,
): PlannedOperation[] {
  const kept = new Map<EntryId, SealedContent>()
  for (const { kind, id, content } of operations) {
    const original = view.entry(id)?.content
    if (kind === 'CREATE' && replaced.has(id) && content!.kind === original!.kind) kept.set(id, content!)
  }
  return operations.flatMap(({ kind, id, content }): PlannedOperation[] => {
    const originalRevision = kind === 'CREATE' ? null : (view.entry(id) ?? null)
    const original = originalRevision?.content ?? null
    const update = kept.get(id)
    // A replacement of the same kind is one update: it takes the delete's place, the create falls away.
    if (update === undefined) return [{ kind, id, content, original, originalRevision }]
    return kind === 'DELETE' ? [{ kind: 'UPDATE', id, content: update, original, originalRevision }] : []
  })
}
