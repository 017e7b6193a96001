import type { Steps } from '../../../core/algorithms/steps.js'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type { Change } from '../../../core/history/change.js'
import { inSlices } from '../../coalescing/time-slices.js'
import type { HistoryOptions } from '../../contract/history.js'
import type { HistoryReader } from '../../contract/history-reader.js'
import type { CommitOutcome, CommitRequest } from '../../contract/history-writer.js'
import { type BatchWrites, type CommitState, emptyWrites } from '../../planning/commit-state.js'
import { discardedElsewhere } from '../../planning/offered-originals.js'
import { planChangeset } from '../../planning/plan-changeset.js'
import { planRevert } from '../../planning/plan-revert.js'
import { planVersion } from '../../planning/plan-version.js'
import { type PlannedOutcome, replayedOutcome } from '../../planning/planned-outcome.js'
import { openPool, type Sql, type Transaction } from '../base/open-pool.js'
import { errorCode, isConnectionFailure, toRegistryError } from '../base/postgres-errors.js'
import type { ReferenceColumns } from '../base/reference-row.js'
import { INDEX_LOOKUPS } from '../base/retrying-client.js'
import { referencesLeft } from './batch-rows.js'
import { type Attempt, DeadlinePassed, fitOneStatement, isNothing, outcomeUnknown, type Ran } from './commit-attempt.js'
import { copyBatch, isLargeBatch } from './copy-batch.js'
import { OptimisticState } from './optimistic-state.js'
import { ownedTransactions } from './postgres-journal.js'
import { type PostgresCommitState, readCommitState } from './read-commit-state.js'
import { readRevertTarget, readVersionTarget } from './read-target.js'
import { writeBatch, writeBatchOptimistically } from './write-batch.js'

/** @bound Pause before a batch is tried again on a new connection. */
const RETRY_PAUSE_MS = 100
/** @bound Time that the driver waits, while closing, for a connection it has lost track of. */
const CLOSE_SECONDS = 1
/** @bound Time after which Postgres releases the lock of a writer that stalls within a transaction. */
const IDLE_IN_TRANSACTION_MS = 10_000
/**
 * @bound Time for which batches take the lock after another gateway moved the head under one, so that both make
 * progress.
 */
const CONTENDED_MS = 1_000
const UNIQUE_VIOLATION = '23505'

/*
 * Commits a batch as one database transaction. There are two strategies, which README.md shows as a picture:
 *
 *   one statement   reads (or, see optimistic-state.ts, does not even read) head_pointer and the entries, plans, and
 *                   writes everything if the pointer's stamp is still the one that was planned on
 *   locked          takes head_pointer's row, the lock of all writers, then reads, plans and writes; for deletes,
 *                   versions, reverts and offered transactions, and while another gateway writes too
 *
 * If the connection breaks after a write was sent, its outcome is unknown. The batch is then tried again under the
 * lock. This attempt first changes the stamp, so a statement that is still on its way writes nothing. If the log has
 * the batch's request ids, the earlier attempt was committed and nothing is applied twice.
 */
export class Committer {
  readonly #databaseUrl: string
  readonly #options: HistoryOptions
  readonly #changesOf: HistoryReader['changesOf']
  #connection: Sql
  /** Batches take the lock until then, because another gateway writes too. */
  #contendedUntil = 0
  readonly #optimistic = new OptimisticState()
  #closed = false

  constructor(
    databaseUrl: string,
    options: HistoryOptions,
    changesOf: HistoryReader['changesOf'],
    private readonly owner: string,
  ) {
    this.#databaseUrl = databaseUrl
    this.#options = options
    this.#changesOf = changesOf
    this.#connection = this.#connect()
  }

  async commit(requests: readonly CommitRequest[]): Promise<readonly CommitOutcome[]> {
    const deadline = performance.now() + this.#options.commitTimeoutMs
    const attempt: Attempt = { planned: null, isSent: false, isUnknown: false, isLarge: false }
    for (;;) {
      if (this.#closed) throw new RegistryError('UNAVAILABLE', 'The store is closing. Nothing was changed.')
      try {
        const planned = await this.#try(requests, attempt, deadline)
        return await Promise.all(planned.map((outcome) => this.#outcomeOf(outcome)))
      } catch (error) {
        const isLost = isConnectionFailure(error) || error instanceof DeadlinePassed
        attempt.isUnknown ||= attempt.isSent && isLost
        if (isConnectionFailure(error) && performance.now() + RETRY_PAUSE_MS < deadline) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
          continue
        }
        if (attempt.isUnknown) throw outcomeUnknown(error)
        if (error instanceof DeadlinePassed)
          throw new RegistryError('TIMEOUT', 'The store took too long. Nothing was changed. Try again.')
        throw toRegistryError(error)
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#connection.end({ timeout: CLOSE_SECONDS })
  }

  #connect(): Sql {
    return openPool(this.#databaseUrl, {
      connections: 2,
      settings: {
        application_name: 'cadastre writer',
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
        statement_timeout: this.#options.commitTimeoutMs,
        lock_timeout: this.#options.commitTimeoutMs,
        ...INDEX_LOOKUPS,
        plan_cache_mode: 'force_generic_plan',
      },
    })
  }

  async #try(
    requests: readonly CommitRequest[],
    attempt: Attempt,
    deadline: number,
  ): Promise<readonly PlannedOutcome[]> {
    const connection = this.#connection
    const isDry = requests.every(({ dryRun }) => dryRun)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          reject(new DeadlinePassed())
          if (this.#closed || this.#connection !== connection) return
          this.#connection = this.#connect()
          void connection.end({ timeout: 0 }).catch(() => {})
        },
        Math.max(1, deadline - performance.now()),
      )
    })
    const trying = this.#oneStatementOrLocked(connection, requests, attempt, isDry, deadline)
    // If the deadline wins the race, this promise still rejects, and no caller awaits it.
    trying.catch(() => {})
    try {
      return await Promise.race([trying, late])
    } finally {
      clearTimeout(timer)
    }
  }

  async #oneStatementOrLocked(
    connection: Sql,
    requests: readonly CommitRequest[],
    attempt: Attempt,
    isDry: boolean,
    deadline: number,
  ): Promise<readonly PlannedOutcome[]> {
    if (!attempt.isUnknown && performance.now() >= this.#contendedUntil && fitOneStatement(requests)) {
      const planned =
        (await this.#optimistically(connection, requests, attempt)) ??
        (attempt.isLarge ? null : await this.#inOneStatement(connection, requests, attempt, deadline))
      if (planned !== null) return planned
      if (!attempt.isLarge) this.#contendedUntil = performance.now() + CONTENDED_MS
    }
    this.#optimistic.clear()
    const mode = isDry ? 'ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'ISOLATION LEVEL READ COMMITTED READ WRITE'
    const {
      ran: { planned, written },
    } = await connection.begin(mode, async (sql) => {
      // The transaction began late, after a wait in the driver's queue. The caller has given up by now.
      if (performance.now() > deadline) throw new DeadlinePassed()
      // In an object, so that the driver does not await it: COMMIT is sent right after the last statement and not a round
      // trip later. If that statement fails, the server turns COMMIT into ROLLBACK.
      return { ran: await this.#run(sql, requests, attempt, isDry) }
    })
    await written
    return planned
  }

  /** Plans on the state after the last batch. Returns null if nothing was written and the registry has to be read. */
  async #optimistically(
    sql: Sql,
    requests: readonly CommitRequest[],
    attempt: Attempt,
  ): Promise<readonly PlannedOutcome[] | null> {
    if (this.#options.optimisticWrites === false) return null
    const last = this.#optimistic.forBatch(requests)
    if (last === null) return null
    const { state, stamp } = last
    const writes = emptyWrites()
    const planned = await inSlices(this.#plan(requests, state, writes, false))
    // Another gateway may have removed the reason for a refusal since.
    if (planned.some(({ type }) => type !== 'applied')) return null
    const references = await this.#references(writes, state)
    if (references === null) {
      attempt.isLarge = true
      return null
    }
    const expectsNone = requests.some(({ expectsNoParticipants }) => expectsNoParticipants === true)
    const writing = writeBatchOptimistically(sql, writes, stamp, state, references, expectsNone)
    const written = await this.#written(writing, planned, state, stamp, attempt)
    if (written === null) this.#optimistic.pause()
    return written
  }

  /** Returns null if the stamp has changed since the read. Nothing was written then. */
  async #inOneStatement(
    sql: Sql,
    requests: readonly CommitRequest[],
    attempt: Attempt,
    deadline: number,
  ): Promise<readonly PlannedOutcome[] | null> {
    const { state, hasParticipants, stamp } = await readCommitState(sql, requests, 'none')
    this.#optimistic.setClock(state.now)
    const writes = emptyWrites()
    const planned = await inSlices(this.#plan(requests, state, writes, hasParticipants))
    if (isNothing(writes)) return planned
    const references = await this.#references(writes, state)
    if (references === null) {
      attempt.isLarge = true
      return null
    }
    if (performance.now() > deadline) throw new DeadlinePassed()
    return this.#written(writeBatch(sql, writes, stamp, state, references), planned, state, stamp, attempt)
  }

  /** Returns the planned outcomes once they have been written, or null if nothing was written. */
  async #written(
    writing: Promise<{ readonly stamp: string } | null>,
    planned: readonly PlannedOutcome[],
    state: CommitState,
    stamp: string,
    attempt: Attempt,
  ): Promise<readonly PlannedOutcome[] | null> {
    attempt.planned = planned
    attempt.isSent = true
    const written = await writing.catch((error: unknown) => {
      // A created id exists, or another gateway has just stored a reply under the key, perhaps without moving the head.
      if (errorCode(error) !== UNIQUE_VIOLATION) throw error
      return null
    })
    if (written !== null) {
      this.#optimistic.store(state, stamp, written.stamp)
      return planned
    }
    attempt.planned = null
    attempt.isSent = false
    return null
  }

  async #run(sql: Transaction, requests: readonly CommitRequest[], attempt: Attempt, isDry: boolean): Promise<Ran> {
    const lock = isDry ? 'none' : attempt.isUnknown ? 'earlier attempt' : 'others'
    const { state, isCommitted, hasParticipants } = await readCommitState(sql, requests, lock)
    if (isCommitted && attempt.planned !== null) return { planned: attempt.planned, written: Promise.resolve() }
    if (isCommitted) throw new Error('A request id was used before.')
    const writes = emptyWrites()
    const owned = await ownedTransactions(sql, requests, this.owner)
    const planned: PlannedOutcome[] = []
    for (const request of requests) {
      if (request.offered !== undefined && !owned.has(request.id)) {
        planned.push(discardedElsewhere())
        continue
      }
      const { action } = request
      const outcome = await inSlices(this.#planned(request, state, writes, hasParticipants))
      if (outcome !== null) {
        planned.push(outcome)
        continue
      }
      if (action.type === 'changeset') throw new Error('A changeset must be planned without reading more.')
      // The target is read from the log, so earlier requests of the batch must have been written to it.
      await (await this.#send(sql, writes, state)).written
      if (action.type === 'revert') {
        const target = await readRevertTarget(sql, action.version, state, !isDry)
        planned.push(
          await inSlices(planRevert({ ...request, action }, target, state, writes, this.#options.references)),
        )
      } else {
        const target = await readVersionTarget(sql, action.version, state, !isDry)
        planned.push(
          await inSlices(planVersion({ ...request, action }, target, state, writes, this.#options.references)),
        )
      }
    }
    attempt.planned = planned
    const { written } = await this.#send(sql, writes, state)
    attempt.isSent ||= !isDry
    return { planned, written }
  }

  /** Plans changesets, which require no further reads. */
  *#plan(
    requests: readonly CommitRequest[],
    state: CommitState,
    writes: BatchWrites,
    hasParticipants: boolean,
  ): Steps<readonly PlannedOutcome[]> {
    const planned: PlannedOutcome[] = []
    for (const request of requests) {
      planned.push((yield* this.#planned(request, state, writes, hasParticipants))!)
      yield
    }
    return planned
  }

  /** Returns null if planning it requires further reads. */
  *#planned(
    request: CommitRequest,
    state: CommitState,
    writes: BatchWrites,
    hasParticipants: boolean,
  ): Steps<PlannedOutcome | null> {
    const { action } = request
    if (request.expectsNoParticipants === true && hasParticipants)
      return { type: 'refused', problems: [], stale: 'joined' }
    return action.type === 'changeset'
      ? yield* planChangeset({ ...request, action }, state, writes, this.#options.references)
      : null
  }

  /**
   * Sends the writes. `written` is in an object, so that a caller can await the sending without awaiting the answer.
   */
  async #send(
    sql: Transaction,
    writes: BatchWrites,
    state: PostgresCommitState,
  ): Promise<{ readonly written: Promise<unknown> }> {
    if (isNothing(writes)) return { written: Promise.resolve() }
    await state.instances.flush(sql)
    const references = isLargeBatch(writes) ? null : await this.#references(writes, state)
    if (references === null) await copyBatch(sql, writes, state, this.#options.references)
    const written = references === null ? Promise.resolve() : writeBatch(sql, writes, null, state, references)
    // Awaited later, perhaps after something else has failed.
    written.catch(() => {})
    for (const rows of Object.values(writes)) rows.length = 0
    return { written }
  }

  /** The references of the entries that a batch leaves. Null if there are too many for one statement. */
  #references(
    writes: BatchWrites,
    state: CommitState,
  ): readonly ReferenceColumns[] | null | Promise<readonly ReferenceColumns[] | null> {
    return inSlices(referencesLeft(writes, state, this.#options.references))
  }

  /** Reads the outcome of a replayed reply from the log. */
  async #outcomeOf(planned: PlannedOutcome): Promise<CommitOutcome> {
    if (planned.type !== 'replay') return planned
    const { revision } = planned.reply
    return replayedOutcome(planned.reply, revision === null ? [] : await this.#changesAt(revision), 0)
  }

  /** Returns null if they have been compacted. */
  async #changesAt(revision: number): Promise<readonly Change[] | null> {
    const everything = { limit: 2 ** 31 - 2, after: null, before: null, fromEnd: false }
    return (await this.#changesOf([revision], everything)).get(revision)?.items ?? null
  }
}
