import postgres from 'postgres'
import { RegistryError } from '../../core/errors.js'
import type { Operation } from '../../core/operation.js'
import type { CommitOutcome, CommitRequest, HistoryOptions, HistoryReader } from '../history.js'
import { emptyWrites, overtaken, planChangeset, planRevert, planVersion, type PlannedOutcome, type Standing } from '../plan-batch.js'
import type { CountedUse } from './counted-use.js'
import { connectionOptions } from './connection-options.js'
import { isConnectionFailure, registryError } from './postgres-errors.js'
import { LOOK_UP_EACH, PARSE_BIGINT, type Sql } from './read-client.js'
import { readRevertTarget, readStanding, readVersionTarget } from './read-standing.js'
import { writeBatch } from './write-batch.js'
import type { Transaction } from './read-client.js'

const RETRY_PAUSE_MS = 100
/** The driver waits that long for a connection it has lost track of. */
const CLOSE_SECONDS = 1
/** A gateway that stops breathing in the middle of a commit gives the lock back after that long. */
const IDLE_IN_TRANSACTION_MS = 10_000

/*
 * One batch is one database transaction:
 *
 *   lock head_pointer ─ read what the batch touches ─ plan (pure) ─ write sets ─ NOTIFY ─ COMMIT
 *
 * A connection that breaks after COMMIT was sent leaves the outcome unknown. So the batch is tried again,
 * and every try looks, under the lock, whether the batch's request ids are in the log already: what is
 * there is not applied twice, what is not there was rolled back.
 */
export class Committer {
  readonly #databaseUrl: string
  readonly #options: HistoryOptions
  readonly #changesOf: HistoryReader['changesOf']
  #connection: Sql
  #closed = false

  constructor(databaseUrl: string, options: HistoryOptions, changesOf: HistoryReader['changesOf'], private readonly owner: string) {
    this.#databaseUrl = databaseUrl
    this.#options = options
    this.#changesOf = changesOf
    this.#connection = this.#connect()
  }

  async commit(requests: readonly CommitRequest[]): Promise<readonly CommitOutcome[]> {
    const deadline = performance.now() + this.#options.commitTimeoutMs
    const attempt: Attempt = { planned: null, isWritten: false }
    for (;;) {
      if (this.#closed) throw new RegistryError('UNAVAILABLE', 'the store is closing; nothing was changed')
      try {
        const planned = await this.#try(requests, attempt, deadline)
        return await Promise.all(planned.map((outcome) => this.#settled(outcome)))
      } catch (error) {
        if (isConnectionFailure(error) && performance.now() + RETRY_PAUSE_MS < deadline) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
          continue
        }
        if (attempt.isWritten && (isConnectionFailure(error) || error instanceof DeadlinePassed)) throw outcomeUnknown(error)
        if (error instanceof DeadlinePassed) throw new RegistryError('TIMEOUT', 'the store took too long; nothing was changed, try again')
        throw registryError(error)
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
      types: PARSE_BIGINT,
      connection: {
        application_name: 'cadastre writer',
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
        statement_timeout: this.#options.commitTimeoutMs,
        lock_timeout: this.#options.commitTimeoutMs,
        ...LOOK_UP_EACH,
      },
    })
  }

  async #try(requests: readonly CommitRequest[], attempt: Attempt, deadline: number): Promise<readonly PlannedOutcome[]> {
    const connection = this.#connection
    const isDry = requests.every(({ dryRun }) => dryRun)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new DeadlinePassed())
        if (this.#closed || this.#connection !== connection) return
        this.#connection = this.#connect()
        void connection.end({ timeout: 0 }).catch(() => {})
      }, Math.max(1, deadline - performance.now()))
    })
    const mode = isDry ? 'ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'ISOLATION LEVEL READ COMMITTED READ WRITE'
    const transaction = connection.begin(mode, async (sql) => {
      // Begun late, out of the driver's queue, when nobody waits for it any more.
      if (performance.now() > deadline) throw new DeadlinePassed()
      return this.#run(sql, requests, attempt, isDry)
    })
    // Where the deadline wins the race, this still rejects, to nobody.
    transaction.catch(() => {})
    try {
      return await Promise.race([transaction, late]) as readonly PlannedOutcome[]
    } finally {
      clearTimeout(timer)
    }
  }

  async #run(sql: Transaction, requests: readonly CommitRequest[], attempt: Attempt, isDry: boolean): Promise<readonly PlannedOutcome[]> {
    const { standing, isCommitted, isAttended } = await readStanding(sql, requests, !isDry)
    if (isCommitted && attempt.planned !== null) return attempt.planned
    if (isCommitted) throw new Error('a request id was used before')
    const writes = emptyWrites()
    const owned = await ownedTransactions(sql, requests, this.owner)
    const planned: PlannedOutcome[] = []
    for (const request of requests) {
      if (request.offered !== undefined && !owned.has(request.id)) {
        planned.push(overtaken())
        continue
      }
      if (request.unattended === true && isAttended) {
        planned.push({ type: 'refused', problems: [], fellAway: 'attended' })
        continue
      }
      const { action } = request
      if (action.type === 'changeset') {
        planned.push(planChangeset({ ...request, action }, standing, writes, this.#options.references))
        continue
      }
      // What a version holds or changed is read from the log, so what the batch did before must be there.
      await this.#flush(sql, writes, standing)
      if (action.type === 'revert') {
        const target = await readRevertTarget(sql, action.version, standing, !isDry)
        planned.push(planRevert({ ...request, action }, target, standing, writes, this.#options.references))
      } else {
        const target = await readVersionTarget(sql, action.version, standing, !isDry)
        planned.push(planVersion({ ...request, action }, target, standing, writes, this.#options.references))
      }
    }
    attempt.planned = planned
    await this.#flush(sql, writes, standing)
    attempt.isWritten ||= !isDry
    return planned
  }

  async #flush(sql: Transaction, writes: ReturnType<typeof emptyWrites>, standing: Standing & { readonly use: CountedUse }): Promise<void> {
    if (writes.transitions.length === 0 && writes.replies.length === 0) return
    await standing.use.flush(sql)
    await writeBatch(sql, writes, standing, this.#options.references)
    for (const rows of Object.values(writes)) rows.length = 0
  }

  /** A reply that is given again is read back from the log. */
  async #settled(planned: PlannedOutcome): Promise<CommitOutcome> {
    if (planned.type !== 'replay') return planned
    const { revision, version } = planned.reply
    const delta = revision === null ? [] : await this.#deltaOf(revision)
    const again = { type: 'applied', head: { revision: revision ?? 0, version }, revision, dryRun: false, replayed: true } as const
    return delta === null ? { ...again, delta: [], compacted: true } : { ...again, delta }
  }

  /** Null where it has been compacted away. */
  async #deltaOf(revision: number): Promise<readonly Operation[] | null> {
    const everything = { limit: 2 ** 31 - 2, after: null, before: null, fromEnd: false }
    const changes = (await this.#changesOf([revision], everything)).get(revision)
    return changes === undefined ? null : changes.items.map(({ kind, id, entry, previous }) => (
      { kind, id, content: entry?.content ?? null, original: previous?.content ?? null }
    ))
  }
}

/** Those that this gateway may still commit. Who would take them over waits for the end of this batch. */
async function ownedTransactions(sql: Transaction, requests: readonly CommitRequest[], owner: string): Promise<ReadonlySet<string>> {
  const ids = requests.filter(({ offered }) => offered !== undefined).map(({ id }) => id)
  if (ids.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`SELECT id FROM open_transaction WHERE id = ANY(${ids}::uuid[]) AND owner = ${owner} FOR SHARE`
  return new Set(rows.map(({ id }) => id))
}

interface Attempt {
  /** What the last try decided: right for good once that try turns out to have been committed. */
  planned: readonly PlannedOutcome[] | null
  /** Whether some try got as far as COMMIT. */
  isWritten: boolean
}

class DeadlinePassed extends Error {}

function outcomeUnknown(cause: unknown): RegistryError {
  const message = 'the store was lost while committing: the changeset may or may not have been applied; look before you send it again, or send it with the same idempotencyKey'
  return new RegistryError('OUTCOME_UNKNOWN', message, {}, { cause })
}
