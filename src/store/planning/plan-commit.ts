import { decideChangeset, headMoved } from '../../core/changeset/decide-changeset.js'
import { decideRevert } from '../../core/changeset/decide-revert.js'
import { entryInUse } from '../../core/changeset/entry-in-use.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId } from '../../core/entry/entry-id.js'
import type { Problem } from '../../core/errors/problem.js'
import type { Change } from '../../core/history/change.js'
import { operationsBetween } from '../../core/history/delta.js'
import type { Head, Transition } from '../../core/history/version.js'
import type { Operation, PlannedOperation } from '../../core/ordering/operation.js'
import type {
  ChangesetAction,
  CommitOutcome,
  CommitRequest,
  RevertAction,
  VersionAction,
} from '../contract/history-writer.js'
import type { BatchInstances } from '../contract/instances.js'
import { type ChangeRow, changeRows, entryOfRow } from './change-row.js'
import { encodeChangeset, transitionDigest, versionDigest } from './changeset-codec.js'
import { type BatchWrites, type CommitState, type Reply, replyKey } from './commit-state.js'

/*
 * What a batch of waiting requests does to the registry, decided without touching it: pure but for the
 * hashing, so that every backend gives the same answers and only has to write the rows down.
 *
 *   standing (as found under the lock) ── request 1 ──▶ standing ── request 2 ──▶ …   each sees what the
 *                                              └─ rows                 └─ rows        ones before it left
 */

/** An outcome, or the reply that is to be given again from the log. */
export type PlannedOutcome = CommitOutcome | { readonly type: 'replay'; readonly reply: Reply }

/** Plans one changeset, adds its rows to `writes` and moves `standing` on; a refusal or dry run leaves both as they are. */
export function planChangeset(
  request: CommitRequest & { readonly action: ChangesetAction },
  standing: CommitState,
  writes: BatchWrites,
  references: ExtractReferences,
): PlannedOutcome {
  const answered = planReply(request, standing)
  if (answered !== null) return answered
  const view = {
    head: standing.head,
    oldestRevision: standing.oldestRevision,
    entry: (id: EntryId) => standing.entries.get(id),
    lastChanged: (id: EntryId) => standing.lastChanged.get(id) ?? 0,
    instances: (id: EntryId) => standing.instances.live(id),
  }
  const decision = decideChangeset(request.action, request.expectedHead, view, references)
  if ('problems' in decision) return { type: 'refused', problems: decision.problems }
  const { operations } = decision
  const moved = movedSinceOffered(request, operations)
  if (moved !== null) return moved
  if (request.dryRun) return applied(standing.head, null, operations, true)

  const number = standing.lastVersion + 1
  const { author, message } = request
  const changeset = encodeChangeset({
    number,
    parent: standing.head.version,
    author,
    message,
    createdAt: standing.now,
    operations,
  })
  const digest = versionDigest(standing.versionDigest, changeset)
  const revision = standing.head.revision + 1
  writes.versions.push({
    number,
    parent: standing.head.version,
    revision,
    author,
    message,
    createdAt: standing.now,
    changeset,
    digest,
    created: operations.filter(({ kind }) => kind === 'CREATE').length,
    updated: operations.filter(({ kind }) => kind === 'UPDATE').length,
    deleted: operations.filter(({ kind }) => kind === 'DELETE').length,
  })
  const from = standing.head.version
  standing.lastVersion = number
  standing.versionDigest = digest
  moveHead(
    request,
    'CHANGESET',
    from,
    number,
    changeRows(revision, operations, () => number),
    operations.length,
    standing,
    writes,
  )
  return applied(standing.head, revision, operations, false)
}

/** What applying a version needs to know besides the standing. */
export interface VersionTarget {
  readonly version: number
  readonly digest: string
  /** Entries whose content differs between the head and the version, as they stand at each. */
  readonly differences: readonly {
    readonly id: EntryId
    readonly before: EntryRevision | null
    readonly after: EntryRevision | null
  }[]
}

/** Plans the move of the head to a version; `target` is null where there is no such version. */
export function planVersion(
  request: CommitRequest & { readonly action: VersionAction },
  target: VersionTarget | { readonly missing: Problem },
  standing: CommitState,
  writes: BatchWrites,
  references: ExtractReferences,
): PlannedOutcome {
  const answered = planReply(request, standing)
  if (answered !== null) return answered
  const problems: Problem[] = []
  if (request.expectedHead !== null && request.expectedHead !== standing.head.version) {
    problems.push(headMoved(request.expectedHead, standing.head))
  }
  if ('missing' in target) problems.push(target.missing)
  else problems.push(...usedInDeletes(request.action, target, standing.instances))
  if (problems.length > 0 || 'missing' in target) return { type: 'refused', problems }

  if (target.version === standing.head.version) {
    if (!request.dryRun) keepReply(request, null, standing.head.version, standing, writes)
    return applied(standing.head, null, [], request.dryRun)
  }
  const before = new Map(target.differences.map((difference) => [difference.id, difference.before]))
  const after = new Map(target.differences.map((difference) => [difference.id, difference.after]))
  const pairs = target.differences.map(({ id, before, after }) => ({
    id,
    before: before?.content ?? null,
    after: after?.content ?? null,
  }))
  const operations: PlannedOperation[] = operationsBetween(pairs, references).map((operation) => ({
    ...operation,
    originalRevision: operation.original === null ? null : before.get(operation.id)!,
  }))
  const moved = movedSinceOffered(request, operations)
  if (moved !== null) return moved
  if (request.dryRun) return applied(standing.head, null, operations, true)

  const revision = standing.head.revision + 1
  const rows = changeRows(revision, operations, (id) => after.get(id)!.version)
  const from = standing.head.version
  standing.versionDigest = target.digest
  // A replacement of another kind is two operations on one row, and its second has no original of its own.
  moveHead(request, 'VERSION', from, target.version, rows, operations.length, standing, writes)
  return applied(standing.head, revision, operations, false)
}

/** Ids that a move to the version deletes. */
export function deletedBy({ differences }: VersionTarget): EntryId[] {
  return differences.filter(({ after }) => after === null).map(({ id }) => id)
}

function usedInDeletes({ force }: VersionAction, target: VersionTarget, use: BatchInstances): Problem[] {
  const current = new Map(target.differences.map(({ id, before }) => [id, before]))
  return deletedBy(target)
    .sort(compareEntryIds)
    .flatMap((id) => {
      const inUse = entryInUse(id, use.live(id), force === true)
      return inUse === undefined ? [] : [{ ...inUse, current: current.get(id)! }]
    })
}

/** What participants have accepted stands for the originals that they saw, and for no others. */
export function originalsOf(operations: readonly Operation[]): Map<EntryId, string | null> {
  const originals = new Map<EntryId, string | null>()
  // The create of a replacement follows its delete, which has the original of both.
  for (const { id, original } of operations) if (!originals.has(id)) originals.set(id, original?.digest ?? null)
  return originals
}

function movedSinceOffered({ offered }: CommitRequest, operations: readonly Operation[]): CommitOutcome | null {
  if (offered === undefined) return null
  const originals = originalsOf(operations)
  const other = [...new Set([...originals.keys(), ...offered.keys()])].find(
    (id) => originals.get(id) !== offered.get(id),
  )
  if (other === undefined) return null
  const message = `${other} went on changing while participants were asked; send it again when others write less`
  return { type: 'refused', problems: [{ code: 'CONFLICT', message, entryId: other }], stale: 'changed' }
}

/** Another gateway has ended the transaction while this one seemed dead. */
export function discardedElsewhere(): CommitOutcome {
  const message =
    'this gateway lost touch with the store while participants were asked, and another has discarded the changeset; send it again'
  return { type: 'refused', problems: [{ code: 'CONFLICT', message }], stale: 'discarded' }
}

/** Plans the inverse of what a version changed, as a changeset of its own; `changes` are in their order. */
export function planRevert(
  request: CommitRequest & { readonly action: RevertAction },
  target: { readonly changes: readonly Change[] } | { readonly missing: Problem },
  standing: CommitState,
  writes: BatchWrites,
  references: ExtractReferences,
): PlannedOutcome {
  const answered = planReply(request, standing)
  if (answered !== null) return answered
  const { operations, problems } =
    'missing' in target
      ? { operations: [], problems: [target.missing] }
      : decideRevert(
          request.action.version,
          target.changes,
          (id) => standing.entries.get(id),
          request.action.force === true,
        )
  if (problems.length > 0) {
    const { expectedHead } = request
    const moved =
      expectedHead !== null && expectedHead !== standing.head.version ? [headMoved(expectedHead, standing.head)] : []
    return { type: 'refused', problems: [...moved, ...problems] }
  }
  const action = { type: 'changeset', operations, base: null, problems: [] } as const
  return planChangeset({ ...request, action }, standing, writes, references)
}

export function nothingToRevertProblem(version: number, newest: number): Problem {
  const message =
    version === 0
      ? 'version 0, the root, has no changeset that could be reverted'
      : `there is no version ${version}; the newest is ${newest}`
  return { code: 'VERSION_NOT_FOUND', message }
}

function planReply(request: CommitRequest, standing: CommitState): PlannedOutcome | null {
  if (request.idempotency === null) return null
  const { key, digest } = request.idempotency
  const reply = standing.replies.get(replyKey(request.author, key))
  if (reply === undefined) return null
  if (reply.digest === digest) return { type: 'replay', reply }
  const message = `the idempotency key "${key}" was used before for another request; a new request needs a new key`
  return { type: 'refused', problems: [{ code: 'IDEMPOTENCY_KEY_REUSED', message }] }
}

function moveHead(
  request: CommitRequest,
  kind: Transition['kind'],
  from: number,
  to: number,
  rows: readonly ChangeRow[],
  changeCount: number,
  standing: CommitState,
  writes: BatchWrites,
): void {
  const revision = standing.head.revision + 1
  for (const row of rows) {
    writes.changes.push(row)
    standing.lastChanged.set(row.id, revision)
    const entry = entryOfRow(row)
    if (entry === null) {
      standing.entries.delete(row.id)
      standing.instances.end(row.id)
    } else standing.entries.set(row.id, entry)
    standing.entryCount += COUNT_BY[row.operation]
  }
  const transition: Transition = {
    revision,
    kind,
    from,
    to,
    author: request.author,
    message: request.message,
    createdAt: standing.now,
    changeCount,
  }
  const digest = transitionDigest(standing.transitionDigest, transition)
  writes.transitions.push({ ...transition, digest, entryCount: standing.entryCount, requestId: request.id })
  standing.transitionDigest = digest
  standing.head = { revision, version: to }
  keepReply(request, revision, to, standing, writes)
}

const COUNT_BY = { create: 1, update: 0, delete: -1, replace: 0 } as const

function keepReply(
  request: CommitRequest,
  revision: number | null,
  version: number,
  standing: CommitState,
  writes: BatchWrites,
): void {
  if (request.idempotency === null) return
  const { key, digest } = request.idempotency
  const reply: Reply = { author: request.author ?? '', key, digest, revision, version }
  standing.replies.set(replyKey(request.author, key), reply)
  writes.replies.push(reply)
}

function applied(head: Head, revision: number | null, delta: readonly Operation[], dryRun: boolean): CommitOutcome {
  return { type: 'applied', head, revision, delta, dryRun, replayed: false }
}
