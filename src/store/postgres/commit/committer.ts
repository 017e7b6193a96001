import postgres from 'postgres'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type { Change } from '../../../core/history/change.js'
import type { HistoryOptions } from '../../contract/history.js'
import type { HistoryReader } from '../../contract/history-reader.js'
import type { CommitOutcome, CommitRequest } from '../../contract/history-writer.js'
import { type BatchWrites, type CommitState, emptyWrites } from '../../planning/commit-state.js'
import {
  discardedElsewhere,
  type PlannedOutcome,
  planChangeset,
  planRevert,
  planVersion,
} from '../../planning/plan-commit.js'
import { replayedOutcome } from '../../planning/replayed-outcome.js'
import { connectionOptions } from '../base/connection-options.js'
import { errorCode, isConnectionFailure, toRegistryError } from '../base/postgres-errors.js'
import type { Transaction } from '../base/retrying-client.js'
import { BIGINT_AS_NUMBER, INDEX_LOOKUPS, type Sql } from '../base/retrying-client.js'
import type { InstanceCounts } from '../instances/instance-counts.js'
import { COPY_FROM_ROWS, copyBatch } from './copy-batch.js'
import { OptimisticState } from './optimistic-state.js'
import { readCommitState, readRevertTarget, readVersionTarget } from './read-commit-state.js'
import { writeBatch, writeBatchOptimistically } from './write-batch.js'

const RETRY_PAUSE_MS = 100
/** The driver waits that long for a connection it has lost track of. */
const CLOSE_SECONDS = 1
/** @bound Time after which Postgres takes the lock from a writer that stalls within a transaction. */
const IDLE_IN_TRANSACTION_MS = 10_000
/** Where another gateway moved the head in between, both take turns at the lock for so long. */
const CONTENDED_MS = 1_000
const UNIQUE_VIOLATION = '23505'

/*
 * One batch is one database transaction. As a rule it is a statement (for what is not read before it see optimistic-state.ts):
 *
 *   read head_pointer and what the batch touches ⇄ plan (pure) ─ write all of it if head_pointer has not been touched ⇄
 *
 * Where another gateway was faster, where entries are deleted and where versions are applied, it begins with the lock of all
 * writers, head_pointer's row, so that those who write take turns:
 *
 *   BEGIN ⇄ lock, read ⇄ plan ─ write, COMMIT ⇄
 *
 * A connection that breaks after it was sent leaves the outcome unknown. So the batch is tried again, and every further try looks,
 * under the lock, whether the batch's request ids are in the log already: what is there is not applied twice, what is not there
 * was rolled back, or is on its way still and finds head_pointer touched.
 */
export class Committer {
  readonly #databaseUrl: string
  readonly #options: HistoryOptions
  readonly #changesOf: HistoryReader['changesOf']
  #connection: Sql
  /** Until then batches begin with the lock: another gateway writes too. */
  #contendedUntil = 0
  readonly #left = new OptimisticState()
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
    const attempt: Attempt = { planned: null, isSent: false, isUnknown: false }
    for (;;) {
      if (this.#closed) throw new RegistryError('UNAVAILABLE', 'the store is closing; nothing was changed')
      try {
        const planned = await this.#try(requests, attempt, deadline)
        return await Promise.all(planned.map((outcome) => this.#settled(outcome)))
      } catch (error) {
        const isLost = isConnectionFailure(error) || error instanceof DeadlinePassed
        attempt.isUnknown ||= attempt.isSent && isLost
        if (isConnectionFailure(error) && performance.now() + RETRY_PAUSE_MS < deadline) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
          continue
        }
        if (attempt.isUnknown) throw outcomeUnknown(error)
        if (error instanceof DeadlinePassed)
          throw new RegistryError('TIMEOUT', 'the store took too long; nothing was changed, try again')
        throw toRegistryError(error)
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#connection.end({ timeout: CLOSE_SECONDS })
  }

  #connect(): Sql {
    return postgres({
      ...connectionOptions(this.#databaseUrl),
      max: 2,
      types: BIGINT_AS_NUMBER,
      connection: {
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
    const trying = this.#atOnceOrLocked(connection, requests, attempt, isDry, deadline)
    // Where the deadline wins the race, this still rejects, to nobody.
    trying.catch(() => {})
    try {
      return await Promise.race([trying, late])
    } finally {
      clearTimeout(timer)
    }
  }

  async #atOnceOrLocked(
    connection: Sql,
    requests: readonly CommitRequest[],
    attempt: Attempt,
    isDry: boolean,
    deadline: number,
  ): Promise<readonly PlannedOutcome[]> {
    if (!attempt.isUnknown && performance.now() >= this.#contendedUntil && areOneStatement(requests)) {
      const planned =
        (await this.#unread(connection, requests, attempt)) ??
        (await this.#atOnce(connection, requests, attempt, deadline))
      if (planned !== null) return planned
      this.#contendedUntil = performance.now() + CONTENDED_MS
    }
    this.#left.forget()
    const mode = isDry ? 'ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'ISOLATION LEVEL READ COMMITTED READ WRITE'
    const {
      ran: { planned, written },
    } = await connection.begin(mode, async (sql) => {
      // Begun late, out of the driver's queue, when nobody waits for it any more.
      if (performance.now() > deadline) throw new DeadlinePassed()
      // Within an object, so that COMMIT is sent right after the last statement and not a way there and back later. Where that
      // fails the server makes a ROLLBACK of it.
      return { ran: await this.#run(sql, requests, attempt, isDry) }
    })
    await written
    return planned
  }

  /** Null where the registry is to be looked at first: nothing was written then. */
  async #unread(
    sql: Sql,
    requests: readonly CommitRequest[],
    attempt: Attempt,
  ): Promise<readonly PlannedOutcome[] | null> {
    if (this.#options.optimisticWrites === false) return null
    const left = this.#left.forBatch(requests)
    if (left === null) return null
    const { standing, stamp } = left
    const writes = emptyWrites()
    const planned = requests.map((request) => this.#planned(request, standing, writes, false)!)
    // What another gateway has done since may make it right.
    if (planned.some(({ type }) => type !== 'applied')) return null
    const unattended = requests.some((request) => request.expectsNoParticipants === true)
    const writing = writeBatchOptimistically(sql, writes, stamp, standing, this.#options.references, unattended)
    const written = await this.#written(writing, planned, standing, stamp, attempt)
    if (written === null) this.#left.doubt()
    return written
  }

  /** Null where the head has moved meanwhile: nothing was written then. */
  async #atOnce(
    sql: Sql,
    requests: readonly CommitRequest[],
    attempt: Attempt,
    deadline: number,
  ): Promise<readonly PlannedOutcome[] | null> {
    const { standing, isAttended, stamp } = await readCommitState(sql, requests, 'none')
    this.#left.look(standing.now)
    const writes = emptyWrites()
    const planned = requests.map((request) => this.#planned(request, standing, writes, isAttended)!)
    if (isNothing(writes)) return planned
    if (performance.now() > deadline) throw new DeadlinePassed()
    return this.#written(
      writeBatch(sql, writes, stamp, standing, this.#options.references),
      planned,
      standing,
      stamp,
      attempt,
    )
  }

  /** What was planned, once it has been written; null where nothing was. */
  async #written(
    writing: Promise<{ readonly stamp: string } | null>,
    planned: readonly PlannedOutcome[],
    standing: CommitState,
    stamp: string,
    attempt: Attempt,
  ): Promise<readonly PlannedOutcome[] | null> {
    attempt.planned = planned
    attempt.isSent = true
    const written = await writing.catch((error: unknown) => {
      // An id that is not new, or a key under which another gateway has just kept a reply, perhaps without moving the head.
      if (errorCode(error) !== UNIQUE_VIOLATION) throw error
      return null
    })
    if (written !== null) {
      this.#left.keep(standing, stamp, written.stamp)
      return planned
    }
    attempt.planned = null
    attempt.isSent = false
    return null
  }

  async #run(sql: Transaction, requests: readonly CommitRequest[], attempt: Attempt, isDry: boolean): Promise<Ran> {
    const lock = isDry ? 'none' : attempt.isUnknown ? 'against earlier' : 'others'
    const { standing, isCommitted, isAttended } = await readCommitState(sql, requests, lock)
    if (isCommitted && attempt.planned !== null) return { planned: attempt.planned, written: Promise.resolve() }
    if (isCommitted) throw new Error('a request id was used before')
    const writes = emptyWrites()
    const owned = await ownedTransactions(sql, requests, this.owner)
    const planned: PlannedOutcome[] = []
    for (const request of requests) {
      if (request.offered !== undefined && !owned.has(request.id)) {
        planned.push(discardedElsewhere())
        continue
      }
      const { action } = request
      const outcome = this.#planned(request, standing, writes, isAttended)
      if (outcome !== null) {
        planned.push(outcome)
        continue
      }
      if (action.type === 'changeset') throw new Error('a changeset needs nothing more to be planned')
      // What a version holds or changed is read from the log, so what the batch did before must be there.
      await (await this.#send(sql, writes, standing)).written
      if (action.type === 'revert') {
        const target = await readRevertTarget(sql, action.version, standing, !isDry)
        planned.push(planRevert({ ...request, action }, target, standing, writes, this.#options.references))
      } else {
        const target = await readVersionTarget(sql, action.version, standing, !isDry)
        planned.push(planVersion({ ...request, action }, target, standing, writes, this.#options.references))
      }
    }
    attempt.planned = planned
    const { written } = await this.#send(sql, writes, standing)
    attempt.isSent ||= !isDry
    return { planned, written }
  }

  /** Null for what is to be read more for. */
  #planned(
    request: CommitRequest,
    standing: CommitState,
    writes: BatchWrites,
    isAttended: boolean,
  ): PlannedOutcome | null {
    const { action } = request
    if (request.expectsNoParticipants === true && isAttended) return { type: 'refused', problems: [], stale: 'joined' }
    return action.type === 'changeset'
      ? planChangeset({ ...request, action }, standing, writes, this.#options.references)
      : null
  }

  /** In an object, so that it can be waited for until it has been sent, or until it has been answered too. */
  async #send(
    sql: Transaction,
    writes: BatchWrites,
    standing: CommitState & { readonly instances: InstanceCounts },
  ): Promise<{ readonly written: Promise<unknown> }> {
    if (isNothing(writes)) return { written: Promise.resolve() }
    await standing.instances.flush(sql)
    const { references } = this.#options
    const isLarge = writes.changes.length >= COPY_FROM_ROWS
    if (isLarge) await copyBatch(sql, writes, standing, references)
    const written = isLarge ? Promise.resolve() : writeBatch(sql, writes, null, standing, references)
    // It may be waited for only after something else has failed.
    written.catch(() => {})
    for (const rows of Object.values(writes)) rows.length = 0
    return { written }
  }

  /** A reply that is given again is read back from the log. */
  async #settled(planned: PlannedOutcome): Promise<CommitOutcome> {
    if (planned.type !== 'replay') return planned
    const { revision } = planned.reply
    return replayedOutcome(planned.reply, revision === null ? [] : await this.#changesAt(revision), 0)
  }

  /** Null where they have been compacted away. */
  async #changesAt(revision: number): Promise<readonly Change[] | null> {
    const everything = { limit: 2 ** 31 - 2, after: null, before: null, fromEnd: false }
    return (await this.#changesOf([revision], everything)).get(revision)?.items ?? null
  }
}

/** Those that this gateway may still commit. Who would take them over waits for the end of this batch. */
async function ownedTransactions(
  sql: Transaction,
  requests: readonly CommitRequest[],
  owner: string,
): Promise<ReadonlySet<string>> {
  const ids = requests.filter(({ offered }) => offered !== undefined).map(({ id }) => id)
  if (ids.length === 0) return new Set()
  const rows = await sql<
    { id: string }[]
  >`SELECT id FROM open_transaction WHERE id = ANY(${ids}::uuid[]) AND owner = ${owner} FOR SHARE`
  return new Set(rows.map(({ id }) => id))
}

/** They need neither locks of entries nor anything that is read step by step, and are not that many. */
function areOneStatement(requests: readonly CommitRequest[]): boolean {
  let operations = 0
  for (const { action, offered } of requests) {
    if (action.type !== 'changeset' || offered !== undefined || action.operations.some(({ kind }) => kind === 'DELETE'))
      return false
    operations += action.operations.length
  }
  return operations < COPY_FROM_ROWS
}

function isNothing({ transitions, replies }: BatchWrites): boolean {
  return transitions.length === 0 && replies.length === 0
}

interface Ran {
  readonly planned: readonly PlannedOutcome[]
  /** Of what is on its way when COMMIT is sent. */
  readonly written: Promise<unknown>
}

interface Attempt {
  /** What the last try decided: right for good once that try turns out to have been committed. */
  planned: readonly PlannedOutcome[] | null
  /** Whether the last try got as far as a write that lasts. */
  isSent: boolean
  /** Whether some try was lost then: it may have been committed, or be yet, until a further one has been. */
  isUnknown: boolean
}

class DeadlinePassed extends Error {}

function outcomeUnknown(cause: unknown): RegistryError {
  const message =
    'the store was lost while committing: the changeset may or may not have been applied; look before you send it again, or send it with the same idempotencyKey'
  return new RegistryError('OUTCOME_UNKNOWN', message, {}, { cause })
}
