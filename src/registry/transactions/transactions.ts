import { setMaxListeners } from 'node:events'
import { DRY_RUN_REASON } from '../../core/changeset/transaction-machine.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { BusEvent } from '../../core/events/bus-event.js'
import { pauseIfDue } from '../../store/coalescing/time-slices.js'
import type { CommitOutcome, CommitRequest } from '../../store/contract/history-writer.js'
import type { TransactionJournal } from '../../store/contract/transaction-journal.js'
import { Mutex } from '../async/mutex.js'
import { waitAtMost } from '../async/within-deadline.js'
import type { ParticipantDirectory, Proposal } from '../participants/participant.js'
import { fixedDirectory } from '../participants/participant-directories.js'
import type { EntryDeriver } from './entry-deriver.js'
import { LeaseKeeper, TRANSACTION_LEASE_MS } from './lease-keeper.js'
import { PendingNotifications } from './participant-notifier.js'
import { entryEvent, entryKindOf, transactionEvent } from './proposals.js'
import { recoverTransactions } from './recover-transactions.js'
import { stoppingError } from './transaction-context.js'
import { TransactionRun } from './transaction-run.js'

/** Where a transaction publishes its events. */
export interface EventSink {
  publish(event: BusEvent): void
  /** Whether an event may have a listener. */
  hasListeners(): boolean
}

/** Participants, bus and deadlines of transactions. */
export interface TransactionsOptions {
  readonly participants?: ParticipantDirectory
  readonly bus?: EventSink
  /** Computes entries from others. */
  readonly deriver?: EntryDeriver
  /** Kinds whose entries are neither offered nor published. */
  readonly internalKinds?: readonly string[]
  /** Time for each offer, in milliseconds. */
  readonly operationMs?: number
  /** Time for all offers of one transaction, in milliseconds. */
  readonly totalMs?: number
  readonly leaseMs?: number
  /** Receives notifications that could not be delivered. */
  undelivered?(participant: string, proposal: Proposal, error: unknown): void
  /** Receives errors that belong to no transaction. */
  failed?(error: unknown): void
}

interface Wiring {
  readonly journal: TransactionJournal
  readonly references: ExtractReferences
  commit(request: CommitRequest, bytes: number): Promise<CommitOutcome>
}

/** @bound Default time for one answer of a participant. */
const OPERATION_MS = 30_000
/** @bound Default time for all answers to one changeset. */
const TOTAL_MS = 300_000
/** @bound Changesets that wait for participants. */
const OPEN_TRANSACTIONS = 10_000
/** @bound Size of the changesets that wait for participants. */
const OPEN_BYTES = 256 * 1024 * 1024
/** @bound Time that a stopping gateway spends on notifying participants. Another gateway finishes the rest. */
const STOP_MS = 2_000

/** Events that are published between two pauses. */
const EVENTS_AT_ONCE = 64

type Applied = Extract<CommitOutcome, { type: 'applied' }>

/**
 * The entry point for every write. A write without participants is committed at once and published from its outcome. Any other runs as a
 * transaction in which participants are asked first.
 */
export class Transactions {
  readonly #options: TransactionsOptions & Wiring
  readonly #internalKinds: ReadonlySet<string>
  readonly #leases: LeaseKeeper
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #pending = new PendingNotifications()
  readonly #deriving = new Mutex()
  readonly #recovering: Promise<void> | null
  /** Publishes long changesets; null if there are none. */
  #publishing: Promise<void> | null = null
  #open = 0
  #openBytes = 0

  constructor(options: TransactionsOptions & Wiring) {
    const { participants: directory, journal, leaseMs = TRANSACTION_LEASE_MS, operationMs = OPERATION_MS } = options
    this.#options = options
    // Each pending offer listens to it. Their number is bounded by `OPEN_TRANSACTIONS`.
    setMaxListeners(0, this.#stopping.signal)
    this.#internalKinds = new Set(options.internalKinds)
    this.#leases = new LeaseKeeper(journal, leaseMs)
    this.#recovering =
      directory === undefined
        ? null
        : recoverTransactions(
            {
              directory,
              journal,
              leases: this.#leases,
              leaseMs,
              operationMs,
              publish: this.#publish,
              undelivered: this.#undelivered,
              pending: this.#pending,
              failed: (error) => options.failed?.(error),
            },
            this.#stopping.signal,
          )
  }

  /** @throws RegistryError UNAVAILABLE if nothing was committed, OUTCOME_UNKNOWN if it may have been */
  async write(request: CommitRequest, bytes: number): Promise<CommitOutcome> {
    const { participants: directory, deriver } = this.#options
    if (deriver?.mayConcern(request.action) === true && isSound(request)) {
      const derived = { ids: deriver.ids, entries: [] }
      return this.#run({ ...request, derived }, bytes, directory ?? fixedDirectory([]), deriver)
    }
    if (directory?.seemsEmpty?.() === true) {
      const outcome = await this.#options.commit({ ...request, expectsNoParticipants: true }, bytes)
      if (outcome.type !== 'refused' || outcome.stale !== 'joined') return this.#published(request.id, outcome)
    }
    if (
      directory !== undefined &&
      isSound(request) &&
      (await mayHaveParticipants(directory, request, this.#internalKinds))
    )
      return this.#run(request, bytes, directory, null)
    return this.#published(request.id, await this.#options.commit(request, bytes))
  }

  #published(id: string, outcome: CommitOutcome): CommitOutcome {
    if (this.#options.bus?.hasListeners() !== true || outcome.type === 'refused' || outcome.replayed) return outcome
    const isQuick = this.#publishing === null && outcome.delta.length <= EVENTS_AT_ONCE
    if (isQuick) void this.#publishOutcome(id, outcome)
    else this.#publishLater(id, outcome)
    return outcome
  }

  /** Publishes the events of a long changeset in time slices, and those of later changesets after it. */
  #publishLater(id: string, outcome: Applied): void {
    const publishing = (this.#publishing ?? Promise.resolve())
      .then(() => this.#publishOutcome(id, outcome))
      .finally(() => {
        if (this.#publishing === publishing) this.#publishing = null
      })
    this.#publishing = publishing
    this.#track(publishing)
  }

  /** Stops waiting for participants: open transactions are discarded, and their callers get UNAVAILABLE. */
  async close(): Promise<void> {
    this.#stopping.abort(stoppingError())
    await waitAtMost(STOP_MS, Promise.allSettled([...this.#running, this.#recovering]))
  }

  async #run(
    request: CommitRequest,
    bytes: number,
    directory: ParticipantDirectory,
    deriver: EntryDeriver | null,
  ): Promise<CommitOutcome> {
    if (this.#stopping.signal.aborted) throw stoppingError()
    if (this.#open >= OPEN_TRANSACTIONS || this.#openBytes + bytes > OPEN_BYTES) {
      throw new RegistryError(
        'UNAVAILABLE',
        'Nothing was committed: too many changesets wait for participants. Try again.',
      )
    }
    this.#open += 1
    this.#openBytes += bytes
    const {
      journal,
      references,
      commit,
      leaseMs = TRANSACTION_LEASE_MS,
      operationMs = OPERATION_MS,
      totalMs = TOTAL_MS,
    } = this.#options
    const running = new TransactionRun(request, {
      directory,
      deriver,
      deriving: this.#deriving,
      journal,
      references,
      leaseMs,
      operationMs,
      totalMs,
      leases: this.#leases,
      internalKinds: this.#internalKinds,
      plan: (request) => commit({ ...request, dryRun: true }, bytes),
      commit: (request) => commit(request, bytes + derivedBytes(request)),
      publish: this.#publish,
      undelivered: this.#undelivered,
      pending: this.#pending,
      stopping: this.#stopping.signal,
    }).run()
    // `close` waits until all participants are notified.
    this.#track(running.then(({ notified }) => notified))
    try {
      return (await running).outcome
    } finally {
      this.#open -= 1
      this.#openBytes -= bytes
    }
  }

  #track(running: Promise<unknown>): void {
    const settled = running
      .catch(() => {})
      .then(() => {
        this.#running.delete(settled)
      })
    this.#running.add(settled)
  }

  /** Pauses only within a long changeset. */
  async #publishOutcome(id: string, { delta, dryRun, revision }: Applied): Promise<void> {
    this.#publish(transactionEvent(id, 'registry.begin', delta.length))
    for (const [i, operation] of delta.entries()) {
      const pause = i % EVENTS_AT_ONCE === EVENTS_AT_ONCE - 1 ? pauseIfDue() : undefined
      if (pause !== undefined && i < delta.length - 1) await pause
      if (!this.#internalKinds.has(entryKindOf(operation))) this.#publish(entryEvent(id, operation))
    }
    const ending = dryRun ? 'registry.discard' : 'registry.commit'
    this.#publish(transactionEvent(id, ending, delta.length, dryRun ? { error: DRY_RUN_REASON } : { revision }))
  }

  readonly #publish = (event: BusEvent): void => this.#options.bus?.publish(event)
  readonly #undelivered = (participant: string, proposal: Proposal, error: unknown): void =>
    this.#options.undelivered?.(participant, proposal, error)
}

/** Whether no problem was found before any state was read, for which a changeset is refused. */
function isSound({ action }: CommitRequest): boolean {
  return action.type !== 'changeset' || action.problems.length === 0
}

function derivedBytes({ derived }: CommitRequest): number {
  return (derived?.entries ?? []).reduce(
    (bytes, { content }) => bytes + (content === null ? 0 : content.metaText.length + content.dataText.length),
    0,
  )
}

/**
 * Whether a write may have participants, without reading state: the kinds that a delete or a version touches are known only when
 * it is planned.
 */
async function mayHaveParticipants(
  directory: ParticipantDirectory,
  { action }: CommitRequest,
  internalKinds: ReadonlySet<string>,
): Promise<boolean> {
  if (directory.hasAny !== undefined && !(await directory.hasAny())) return false
  if (action.type !== 'changeset') return true
  if (action.operations.some(({ kind }) => kind === 'DELETE')) return true
  const kinds = new Set(action.operations.flatMap(({ content }) => (content === null ? [] : [content.kind])))
  const offered = [...kinds].filter((kind) => !internalKinds.has(kind))
  return offered.length > 0 && (await directory.forKinds(offered)).length > 0
}
