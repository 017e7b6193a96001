import { flatMapInSteps, type Steps } from '../../core/algorithms/steps.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import type { Problem } from '../../core/errors/problem.js'
import type { RegistryError } from '../../core/errors/registry-error.js'
import type { Change } from '../../core/history/change.js'
import type { CommitAnswer, CommitRequest } from '../contract/history-writer.js'
import type { BatchInstances } from '../contract/instances.js'
import { CHAIN_START_DIGEST, rootDigest } from '../planning/changeset-codec.js'
import { type CommitState, emptyWrites } from '../planning/commit-state.js'
import { historyMissingError, versionCompactedProblem } from '../planning/compacted-errors.js'
import { planChangeset } from '../planning/plan-changeset.js'
import { nothingToRevertProblem, planRevert } from '../planning/plan-revert.js'
import { planVersion, type VersionTarget } from '../planning/plan-version.js'
import { type PlannedOutcome, planReply, replayedOutcome } from '../planning/planned-outcome.js'
import type { MemoryCompaction } from './memory-compaction.js'
import type { MemoryLog } from './memory-log.js'

/** @bound Revisions that a `none` registry retains for its followers. A slower follower gets COMPACTED. */
const FOLLOWED_REVISIONS = 1_000
/**
 * @bound Request ids that a registry in memory retains, by which an open transaction finds its revision. Far fewer are
 * open at a time.
 */
const RETAINED_REQUESTS = 100_000

/** Plans writes and appends them to the log of a registry in memory. */
export class MemoryCommitter {
  readonly state: CommitState
  readonly #revisions = new Map<string, number>()

  constructor(
    private readonly log: MemoryLog,
    private readonly compaction: MemoryCompaction,
    instances: BatchInstances,
    private readonly references: ExtractReferences,
    createdAt: Date,
    private readonly hasHistory: boolean,
  ) {
    this.state = {
      head: { revision: 0, version: 0 },
      oldestRevision: 0,
      lastVersion: 0,
      versionDigest: rootDigest(createdAt),
      transitionDigest: CHAIN_START_DIGEST,
      entryCount: 0,
      now: createdAt,
      entries: new Map(),
      lastChanged: new Map(),
      replies: new Map(),
      instances,
    }
  }

  /** The revision that a request made; null if it made none. */
  revisionOf(requestId: string): number | null {
    return this.#revisions.get(requestId) ?? null
  }

  /** The revision after which the log is complete. */
  get oldestLog(): number {
    return this.hasHistory ? this.compaction.oldest : Math.max(0, this.log.revision - FOLLOWED_REVISIONS)
  }

  /** Whether the changes that a revision made can be read. The root made none. */
  hasChanges(revision: number): boolean {
    return this.hasHistory ? revision >= this.compaction.oldest : revision === 0 || revision > this.oldestLog
  }

  /** Plans a write in steps, and appends it in the last one, so that readers see all of it or nothing. */
  *commit(request: CommitRequest, now: Date): Steps<CommitAnswer> {
    const { log, references, state } = this
    const writes = emptyWrites()
    const { action } = request
    Object.assign(state, { now, oldestRevision: this.compaction.oldest })
    const unreadable = yield* this.#unreadable(request)
    if (unreadable !== null) return unreadable
    const planned =
      action.type === 'changeset'
        ? yield* planChangeset({ ...request, action }, state, writes, references)
        : action.type === 'revert'
          ? yield* planRevert({ ...request, action }, this.#revertTarget(action.version), state, writes, references)
          : yield* planVersion(
              { ...request, action },
              yield* this.#versionTarget(action.version),
              state,
              writes,
              references,
            )
    // Planning moves the head last. From there on nothing pauses.
    log.versions.push(...writes.versions)
    log.transitions.push(...writes.transitions)
    for (const { requestId, revision } of writes.transitions) this.#revisions.set(requestId, revision)
    if (this.#revisions.size > RETAINED_REQUESTS) this.#revisions.delete(this.#revisions.keys().next().value!)
    for (const row of writes.changes) log.append(row)
    if (!this.hasHistory && writes.transitions.length > 0) log.dropBefore(log.revision - FOLLOWED_REVISIONS)
    return this.#settled(planned)
  }

  /**
   * Returns the error of a request that needs a version's content from a registry without history; null for all others.
   * Such a registry lists its versions, but has neither their changesets nor any state but the head's. The answer to an
   * earlier request with the same idempotency key comes first: it was given while the version was the head.
   */
  *#unreadable(request: CommitRequest): Steps<CommitAnswer | null> {
    const { action } = request
    if (this.hasHistory || action.type === 'changeset') return null
    const { version } = action
    // The root has no changeset anywhere, which `nothingToRevertProblem` reports.
    const isStored = action.type === 'version' ? version === this.state.head.version : version === 0
    if (isStored || this.log.versions[version] === undefined) return null
    const answered = yield* planReply(request, this.state)
    if (answered !== null) return this.#settled(answered)
    const verb = action.type === 'version' ? 'applied' : 'reverted'
    return { type: 'failed', error: this.#errorOf(`Version ${version} cannot be ${verb}`) }
  }

  #errorOf(what: string): RegistryError {
    return historyMissingError(what, this.log.revision)
  }

  *#versionTarget(version: number): Steps<VersionTarget | { missing: Problem }> {
    const { compaction, log, state } = this
    const row = log.versions[version]
    if (row === undefined) {
      const message = `There is no version ${version}; the newest is ${state.lastVersion}.`
      return { missing: { code: 'VERSION_NOT_FOUND', message } }
    }
    if (row.revision < compaction.oldest && version !== 0 && version !== state.head.version)
      return { missing: versionCompactedProblem(version, row.revision, compaction.oldest) }
    // Without history, only the head is left, which differs from itself in nothing.
    const ids = this.hasHistory ? log.rowsOf.keys() : []
    const differences = yield* flatMapInSteps(ids, (id) => {
      const before = log.entry(id, 'head')
      const after = log.entry(id, row.revision)
      return before?.content.digest === after?.content.digest ? [] : [{ id, before, after }]
    })
    return { version: row, differences }
  }

  #revertTarget(version: number): { readonly changes: readonly Change[] } | { readonly missing: Problem } {
    const { compaction, log } = this
    const row = version === 0 ? undefined : log.versions[version]
    if (row === undefined) return { missing: nothingToRevertProblem(version, this.state.lastVersion) }
    if (row.revision < compaction.oldest)
      return { missing: versionCompactedProblem(version, row.revision, compaction.oldest) }
    return { changes: log.changesAt(row.revision) }
  }

  #settled(planned: PlannedOutcome): CommitAnswer {
    if (planned.type !== 'replay') return planned
    const { revision } = planned.reply
    const changes = revision === null ? [] : this.hasChanges(revision) ? this.log.changesAt(revision) : null
    return replayedOutcome(planned.reply, changes, this.state.head.revision)
  }
}
