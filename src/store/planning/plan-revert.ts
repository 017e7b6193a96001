import type { Steps } from '../../core/algorithms/steps.js'
import { headMoved } from '../../core/changeset/decide-changeset.js'
import { decideRevert } from '../../core/changeset/decide-revert.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import type { Problem } from '../../core/errors/problem.js'
import type { Change } from '../../core/history/change.js'
import type { CommitRequest, RevertAction } from '../contract/history-writer.js'
import type { BatchWrites, CommitState } from './commit-state.js'
import { planChangeset } from './plan-changeset.js'
import { type PlannedOutcome, planReply } from './planned-outcome.js'

/** Plans the inverse of a version's changes as a changeset of its own. `changes` are in their order. */
export function* planRevert(
  request: CommitRequest & { readonly action: RevertAction },
  target: { readonly changes: readonly Change[] } | { readonly missing: Problem },
  state: CommitState,
  writes: BatchWrites,
  references: ExtractReferences,
): Steps<PlannedOutcome> {
  const answered = yield* planReply(request, state)
  if (answered !== null) return answered
  const { version, force } = request.action
  const { operations, problems } =
    'missing' in target
      ? { operations: [], problems: [target.missing] }
      : yield* decideRevert(version, ownChanges(request, target.changes), (id) => state.entries.get(id), force === true)
  if (problems.length > 0) {
    const { expectedHead } = request
    const moved =
      expectedHead !== null && expectedHead !== state.head.version ? [headMoved(expectedHead, state.head)] : []
    return { type: 'refused', problems: [...moved, ...problems] }
  }
  const action = { type: 'changeset', operations, base: null, problems: [] } as const
  return yield* planChangeset({ ...request, action }, state, writes, references)
}

function ownChanges({ derived }: CommitRequest, changes: readonly Change[]): readonly Change[] {
  return derived === undefined ? changes : changes.filter(({ id }) => !derived.ids.has(id))
}

export function nothingToRevertProblem(version: number, newest: number): Problem {
  const message =
    version === 0
      ? 'Version 0, the root, has no changeset that could be reverted.'
      : `There is no version ${version}; the newest is ${newest}.`
  return { code: 'VERSION_NOT_FOUND', message }
}
