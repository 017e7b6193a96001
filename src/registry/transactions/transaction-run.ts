import {
  advanceTransaction,
  beginTransaction,
  isEnded,
  type TransactionEffect,
  type TransactionState,
  type TransactionStep,
} from '../../core/changeset/transaction-machine.js'
import type { ExtractReferences } from '../../core/dependency/reference.js'
import type { Problem } from '../../core/errors/problem.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { BusEvent } from '../../core/events/bus-event.js'
import { compileBusPattern, type MatchBusPattern } from '../../core/events/bus-pattern.js'
import { inverse } from '../../core/history/inverse.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { CommitOutcome, CommitRequest } from '../../store/contract/history-writer.js'
import type { Acceptance, TransactionJournal } from '../../store/contract/transaction-journal.js'
import { originalsOf } from '../../store/planning/offered-originals.js'
import { waitAtMost } from '../async/within-deadline.js'
import type { Participant, ParticipantDirectory } from '../participants/participant.js'
import { askParticipants } from './ask-participants.js'
import type { LeaseKeeper } from './lease-keeper.js'
import { type OnUndelivered, ParticipantNotifier } from './participant-notifier.js'
import { entryEvent, entryKindOf, operationProposal, transactionEvent, transactionProposal } from './proposals.js'
import { RefusedDependents } from './refused-dependents.js'

/** @bound Time that a write's answer waits for participants to be notified of the result. */
const TELL_MS = 1_000

/** What a transaction needs of the world. */
export interface TransactionContext {
  readonly directory: ParticipantDirectory
  readonly journal: TransactionJournal
  readonly leases: LeaseKeeper
  readonly leaseMs: number
  readonly references: ExtractReferences
  readonly internalKinds: ReadonlySet<string>
  /** For each offer, and for all of them, on a monotonic clock. */
  readonly operationMs: number
  readonly totalMs: number
  /** Checks it against the head without a lock, as a dry run. */
  plan(request: CommitRequest): Promise<CommitOutcome>
  commit(request: CommitRequest): Promise<CommitOutcome>
  publish(event: BusEvent): void
  undelivered: OnUndelivered
  /** Aborts when the gateway stops: who is asked is not waited for any more. */
  readonly stopping: AbortSignal
}

interface Taking {
  readonly participant: Participant
  readonly matches: readonly MatchBusPattern[]
}

/** The effects of one transaction; what follows what is decided by `core/transaction.ts`. */
export class TransactionRun {
  readonly #notifier: ParticipantNotifier
  readonly #began: Map<string, Participant> = new Map()
  readonly #until: number
  #operations: readonly Operation[] = []
  #taking: readonly Taking[] = []
  #accepted: Acceptance[] = []
  #refused: RefusedDependents
  #outcome: CommitOutcome | null = null
  #error: unknown = null
  #isHeard = false

  constructor(
    private readonly request: CommitRequest,
    private readonly world: TransactionContext,
  ) {
    this.#notifier = new ParticipantNotifier(world.undelivered, world.operationMs)
    this.#refused = new RefusedDependents(world.references)
    this.#until = performance.now() + world.totalMs
  }

  /** `told` settles when every participant has heard how it ended, as far as it could. */
  async run(): Promise<{ readonly outcome: CommitOutcome; readonly told: Promise<void> }> {
    let { state, effects } = beginTransaction(this.request.dryRun)
    while (!isEnded(state)) {
      const [effect] = effects
      if (effect === undefined) throw new Error(`a transaction stands still at ${state.name}`)
      const stepped = advanceTransaction(state, await this.#perform(effect, state))
      state = stepped.state
      effects = stepped.effects
    }
    const told = this.#end(effects, state)
    await waitAtMost(TELL_MS, told)
    if (this.#error !== null) throw this.#error
    return { outcome: this.#outcomeOf(state), told }
  }

  async #perform(effect: TransactionEffect, state: TransactionState): Promise<TransactionStep> {
    try {
      switch (effect.type) {
        case 'plan':
          return await this.#plan()
        case 'open':
          return await this.#open()
        case 'offer':
          return await this.#offer(effect.operation)
        case 'commit':
          return await this.#commit()
        case 'undo':
          return await this.#undo(state)
        default:
          throw new Error(`${effect.type} is done when it has ended`)
      }
    } catch (error) {
      this.#error = error
      const isLost = error instanceof RegistryError && error.code === 'OUTCOME_UNKNOWN'
      if (effect.type === 'undo') return { type: 'undone' }
      return isLost
        ? { type: 'outcomeUnknown' }
        : { type: 'failed', reason: error instanceof RegistryError ? error.message : 'an error within the gateway' }
    }
  }

  async #plan(): Promise<TransactionStep> {
    const outcome = await this.world.plan(this.request)
    if (outcome.type === 'refused' || outcome.replayed) {
      this.#outcome = outcome
      return { type: 'refused', reason: reasonOf(outcome) }
    }
    this.#outcome = outcome
    this.#operations = outcome.delta
    this.#accepted = []
    this.#refused = new RefusedDependents(this.world.references)
    const kinds = [...new Set(this.#operations.map(entryKindOf))].filter((kind) => !this.world.internalKinds.has(kind))
    const participants = kinds.length === 0 ? [] : await this.world.directory.forKinds(kinds)
    this.#taking = participants.map((participant) => ({
      participant,
      matches: participant.kinds.map(compileBusPattern),
    }))
    return { type: 'planned', first: this.#next(0) }
  }

  async #open(): Promise<TransactionStep> {
    const fresh = this.#taking.map(({ participant }) => participant).filter(({ name }) => !this.#began.has(name))
    for (const participant of fresh) this.#began.set(participant.name, participant)
    if (this.#began.size > 0) {
      await this.world.journal.open(
        { id: this.request.id, operations: this.#operations, notified: [...this.#began.keys()] },
        this.world.leaseMs,
      )
      this.world.leases.keep(this.request.id)
    }
    if (!this.#isHeard) this.world.publish(transactionEvent(this.request.id, 'registry.begin', this.#operations.length))
    this.#isHeard = true
    for (const participant of fresh)
      this.#notifier.notify(participant, transactionProposal(this.request.id, 'registry.begin'), true)
    await this.#notifier.settled()
    this.#publishPassing(0, this.#next(0))
    return { type: 'opened' }
  }

  async #offer(index: number): Promise<TransactionStep> {
    const operation = this.#operations[index]!
    const {
      request: { id: transaction },
      world,
    } = this
    world.publish(entryEvent(transaction, operation))
    const asked = this.#takersOf(operation)
    const { accepted, problems } = await askParticipants({
      transaction,
      operation,
      index,
      participants: asked,
      operationMs: world.operationMs,
      until: this.#until,
      publish: world.publish,
      signal: world.stopping,
    })
    if (world.stopping.aborted) throw stoppingError()
    if (accepted.length > 0) {
      const acceptances = accepted.map((participant) => ({ operation: index, participant }))
      this.#accepted.push(...acceptances)
      await world.journal.accept(transaction, acceptances)
    }
    if (problems.length > 0) this.#refused.add(operation)
    const goesOn = this.request.dryRun || problems.every(({ code }) => code === 'REJECTED')
    const next = goesOn ? this.#next(index + 1) : null
    if (problems.length === 0) this.#publishPassing(index + 1, next)
    return { type: 'answered', problems: this.#placed(operation, problems), next }
  }

  async #commit(): Promise<TransactionStep> {
    const offered = this.#began.size > 0 ? { offered: originalsOf(this.#operations) } : {}
    const outcome = await this.world.commit({ ...this.request, ...offered })
    this.#outcome = outcome
    if (outcome.type === 'refused' && outcome.stale === 'discarded') return { type: 'claimed' }
    if (outcome.type === 'refused' && outcome.stale === 'changed') return { type: 'moved', reason: reasonOf(outcome) }
    if (outcome.type === 'refused' || outcome.replayed) return { type: 'refused', reason: reasonOf(outcome) }
    return { type: 'committed' }
  }

  async #undo(state: TransactionState): Promise<TransactionStep> {
    const { id: transaction } = this.request
    for (const { operation, names } of inversesOf(this.#operations, this.#accepted)) {
      this.world.publish(entryEvent(transaction, operation))
      for (const name of names) {
        const participant = this.#began.get(name)
        if (participant !== undefined)
          this.#notifier.notify(participant, operationProposal(transaction, operation, null), false)
      }
    }
    if (state.retry) await this.#notifier.settled()
    return { type: 'undone' }
  }

  /** Tells all who have heard of its beginning how it ended; the journal forgets it then. */
  async #end([effect]: readonly TransactionEffect[], state: TransactionState): Promise<void> {
    const { id } = this.request
    if (effect === undefined) {
      if (state.name === 'HANDED_OVER') this.world.leases.release(id)
      return
    }
    const kind = effect.type === 'notifyCommit' ? 'registry.commit' : 'registry.discard'
    const revision = this.#outcome?.type === 'applied' ? this.#outcome.revision : null
    const said = effect.type === 'notifyDiscard' ? { error: effect.reason } : { revision }
    if (this.#isHeard) this.world.publish(transactionEvent(id, kind, this.#operations.length, said))
    if (this.#began.size === 0) return
    for (const participant of this.#began.values())
      this.#notifier.notify(participant, transactionProposal(id, kind), true)
    await this.#notifier.settled()
    // Where the store is away the lease runs out, and whoever finds it tells all of it once more.
    await this.world.journal.close(id).catch(() => {})
    this.world.leases.release(id)
  }

  #outcomeOf(state: TransactionState): CommitOutcome {
    if (state.problems.length > 0) return { type: 'refused', problems: state.problems }
    if (this.#outcome === null) throw new Error('a transaction has ended without an outcome')
    return this.#outcome
  }

  #takersOf(operation: Operation): Participant[] {
    const kind = entryKindOf(operation)
    if (this.world.internalKinds.has(kind)) return []
    return this.#taking
      .filter(({ matches }) => matches.some((match) => match(kind)))
      .map(({ participant }) => participant)
  }

  /** The first operation from here on that somebody is to be asked about. */
  #next(from: number): number | null {
    for (let index = from; index < this.#operations.length; index++) {
      const operation = this.#operations[index]!
      if (!this.request.dryRun && this.#refused.takes(operation)) continue
      if (this.#takersOf(operation).length > 0) return index
    }
    return null
  }

  /** Operations that nobody takes part in are on the bus in their turn too. */
  #publishPassing(from: number, next: number | null): void {
    for (const operation of this.#operations.slice(from, next ?? undefined)) {
      if (!this.world.internalKinds.has(entryKindOf(operation)))
        this.world.publish(entryEvent(this.request.id, operation))
    }
  }

  /** With the index of the operation as it was sent; a replacement's is that of its delete. */
  #placed(operation: Operation, problems: readonly Problem[]): Problem[] {
    const { action } = this.request
    if (action.type !== 'changeset') return [...problems]
    const sent =
      action.operations.find(({ id, kind }) => id === operation.id && kind === operation.kind) ??
      action.operations.find(({ id }) => id === operation.id)
    return problems.map((problem) => (sent === undefined ? problem : { ...problem, operation: sent.index }))
  }
}

/** What those that had accepted are told, in reverse order, and who they are. */
export function inversesOf(
  operations: readonly Operation[],
  accepted: readonly Acceptance[],
): { readonly operation: Operation; readonly names: readonly string[] }[] {
  const names = new Map<number, string[]>()
  for (const { operation, participant } of accepted)
    names.set(operation, [...(names.get(operation) ?? []), participant])
  return [...names]
    .sort(([a], [b]) => b - a)
    .flatMap(([index, names]) => inverse([operations[index]!]).map((operation) => ({ operation, names })))
}

function reasonOf(outcome: CommitOutcome): string {
  if (outcome.type === 'refused') return outcome.problems[0]?.message ?? 'refused'
  return 'an earlier request with the same idempotency key was applied'
}

export function stoppingError(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'nothing was committed: the gateway is stopping; try again')
}
