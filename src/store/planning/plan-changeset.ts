import { forEachInSteps, runAtOnce, type Steps } from '../../core/algorithms/steps.js'
import { decideChangeset } from '../../core/changeset/decide-changeset.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { PlannedOperation } from '../../core/ordering/operation.js'
import type { ChangesetAction, CommitRequest } from '../contract/history-writer.js'
import { changeRows, changesOfOperations } from './change-row.js'
import { encodeChangeset, rootDigest, versionDigest } from './changeset-codec.js'
import type { BatchWrites, CommitState, VersionRow } from './commit-state.js'
import { moveHead } from './move-head.js'
import { changedSinceOffered, derivedOperations } from './offered-originals.js'
import { appliedOutcome, type PlannedOutcome, planReply } from './planned-outcome.js'

/*
 * Planning computes the effect of a batch of requests without touching the registry. It is pure except for hashing, so
 * every backend gives the same answers and only has to store the rows.
 *
 *   state (as read) ── request 1 ──▶ state ── request 2 ──▶ …   each request sees the state after the earlier ones
 *                          └─ rows               └─ rows
 */

/** Plans one changeset: adds its rows to `writes` and advances `state`. A refusal or a dry run changes neither. */
export function* planChangeset(
  request: CommitRequest & { readonly action: ChangesetAction },
  state: CommitState,
  writes: BatchWrites,
  references: ExtractReferences,
): Steps<PlannedOutcome> {
  const answered = yield* planReply(request, state)
  if (answered !== null) return answered
  const view = {
    head: state.head,
    oldestRevision: state.oldestRevision,
    entry: (id: EntryId) => state.entries.get(id),
    lastChanged: (id: EntryId) => state.lastChanged.get(id) ?? 0,
    instances: (id: EntryId) => state.instances.live(id),
  }
  const decision = yield* decideChangeset(request.action, request.expectedHead, view, references)
  if ('problems' in decision) return { type: 'refused', problems: decision.problems }
  const derived = derivedOperations(request, state)
  if ('stale' in derived) return derived.stale
  // After the others, from which they are computed.
  const operations =
    derived.operations.length === 0 ? decision.operations : [...decision.operations, ...derived.operations]
  const changed = yield* changedSinceOffered(request, operations)
  if (changed !== null) return changed
  if (request.dryRun) return appliedOutcome(state.head, null, operations, true)

  const row = yield* versionRow(request, operations, state)
  const { number, revision } = row
  writes.versions.push(row)
  const from = state.head.version
  state.lastVersion = number
  state.versionDigest = row.digest
  const rows = yield* changeRows(revision, operations, () => number)
  const movement = { kind: 'CHANGESET', from, to: number, changeCount: operations.length } as const
  const transition = yield* moveHead(request, movement, rows, state, writes)
  const { changeset: _changeset, ...version } = row
  const changes = () => changesOfOperations(revision, operations, () => number)
  return appliedOutcome(state.head, revision, operations, false, { version, transition, changes })
}

function* versionRow(
  { author, message }: CommitRequest,
  operations: readonly PlannedOperation[],
  state: CommitState,
): Steps<VersionRow> {
  const header = {
    number: state.lastVersion + 1,
    parent: state.head.version,
    author,
    message,
    createdAt: state.now,
  }
  const changeset = yield* encodeChangeset({ ...header, operations })
  const counts = { CREATE: 0, UPDATE: 0, DELETE: 0 }
  yield* forEachInSteps(operations, ({ kind }) => counts[kind]++)
  return {
    ...header,
    revision: state.head.revision + 1,
    changeset,
    digest: yield* versionDigest(state.versionDigest, changeset),
    created: counts.CREATE,
    updated: counts.UPDATE,
    deleted: counts.DELETE,
  }
}

/** v0, the root, in a store that a migration does not seed. */
export function rootVersionRow(createdAt: Date): VersionRow {
  const header = { number: 0, author: null, message: null, createdAt }
  return {
    ...header,
    parent: null,
    revision: 0,
    changeset: runAtOnce(encodeChangeset({ ...header, parent: 0, operations: [] })),
    digest: rootDigest(createdAt),
    created: 0,
    updated: 0,
    deleted: 0,
  }
}
