import { sortInSteps } from '../../core/algorithms/sort-in-steps.js'
import { flatMapInSteps, type Steps } from '../../core/algorithms/steps.js'
import { headMoved } from '../../core/changeset/decide-changeset.js'
import { endsInstances, entryInUse } from '../../core/changeset/entry-in-use.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId } from '../../core/entry/entry-id.js'
import type { Problem } from '../../core/errors/problem.js'
import { operationsBetween } from '../../core/history/delta.js'
import type { Version } from '../../core/history/version.js'
import type { PlannedOperation } from '../../core/ordering/operation.js'
import type { CommitRequest, VersionAction } from '../contract/history-writer.js'
import type { BatchInstances } from '../contract/instances.js'
import { changeRows, changesOfOperations } from './change-row.js'
import type { BatchWrites, CommitState } from './commit-state.js'
import { moveHead } from './move-head.js'
import { changedSinceOffered } from './offered-originals.js'
import { appliedOutcome, type PlannedOutcome, planReply, storeReply } from './planned-outcome.js'

/** The target of applying a version, read from the log. */
export interface VersionTarget {
  readonly version: Version
  /** Entries whose content differs between the head and the version, with both contents. */
  readonly differences: readonly {
    readonly id: EntryId
    readonly before: EntryRevision | null
    readonly after: EntryRevision | null
  }[]
}

/** Plans the move of the head to a version. If there is no such version, `target` has the problem. */
export function* planVersion(
  request: CommitRequest & { readonly action: VersionAction },
  target: VersionTarget | { readonly missing: Problem },
  state: CommitState,
  writes: BatchWrites,
  references: ExtractReferences,
): Steps<PlannedOutcome> {
  const answered = yield* planReply(request, state)
  if (answered !== null) return answered
  const problems: Problem[] = []
  if (request.expectedHead !== null && request.expectedHead !== state.head.version) {
    problems.push(headMoved(request.expectedHead, state.head))
  }
  if ('missing' in target) problems.push(target.missing)
  else for (const problem of yield* entriesInUse(request.action, target, state.instances)) problems.push(problem)
  if (problems.length > 0 || 'missing' in target) return { type: 'refused', problems }

  if (target.version.number === state.head.version) {
    if (!request.dryRun) storeReply(request, null, state.head.version, state, writes)
    return appliedOutcome(state.head, null, [], request.dryRun)
  }
  const { differences } = target
  const before = new Map<EntryId, EntryRevision | null>()
  const after = new Map<EntryId, EntryRevision | null>()
  const pairs = yield* flatMapInSteps(differences, (difference) => {
    before.set(difference.id, difference.before)
    after.set(difference.id, difference.after)
    return [{ id: difference.id, before: difference.before?.content ?? null, after: difference.after?.content ?? null }]
  })
  const between = yield* operationsBetween(pairs, references)
  const operations = yield* flatMapInSteps(between, (operation): PlannedOperation[] => [
    { ...operation, originalRevision: operation.original === null ? null : before.get(operation.id)! },
  ])
  const changed = yield* changedSinceOffered(request, operations)
  if (changed !== null) return changed
  if (request.dryRun) return appliedOutcome(state.head, null, operations, true)

  const revision = state.head.revision + 1
  const writtenBy = (id: EntryId) => after.get(id)!.version
  const rows = yield* changeRows(revision, operations, writtenBy)
  const { version } = target
  const [from, to] = [state.head.version, version.number]
  state.versionDigest = version.digest
  // A replacement by another kind is two operations in one row, so operations are counted and not rows.
  const transition = yield* moveHead(
    request,
    { kind: 'VERSION', from, to, changeCount: operations.length },
    rows,
    state,
    writes,
  )
  const changes = () => changesOfOperations(revision, operations, writtenBy)
  return appliedOutcome(state.head, revision, operations, false, { version, transition, changes })
}

/** The ids that a move to the version deletes, or replaces by another kind. Their instances end. */
export function endedBy({ differences }: VersionTarget): EntryId[] {
  return differences.filter(({ before, after }) => endsInstances(before, after)).map(({ id }) => id)
}

function* entriesInUse(
  { force }: VersionAction,
  target: VersionTarget,
  instances: BatchInstances,
): Steps<readonly Problem[]> {
  const found = yield* flatMapInSteps(target.differences, ({ id, before, after }): Problem[] => {
    if (!endsInstances(before, after)) return []
    const inUse = entryInUse(id, instances.live(id), force === true)
    return inUse === undefined ? [] : [{ ...inUse, current: before! }]
  })
  return yield* sortInSteps(found, (a, b) => compareEntryIds(a.entryId as EntryId, b.entryId as EntryId))
}
