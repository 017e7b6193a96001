import {
  advanceTransaction,
  beginTransaction,
  isEnded,
  type TransactionEffect,
  type TransactionState,
  type TransactionStep,
} from '../../core/changeset/transaction-machine.js'
import type { Problem } from '../../core/errors/problem.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Warning } from '../../core/errors/warning.js'
import { inverse } from '../../core/history/inverse.js'
import type { Operation, OperationKind } from '../../core/ordering/operation.js'
import { inSlices, pauseIfDue } from '../../store/coalescing/time-slices.js'
import type { DerivedEntry } from '../../store/contract/derived-entries.js'
import type { CommitOutcome, CommitRequest } from '../../store/contract/history-writer.js'
import type { Acceptance } from '../../store/contract/transaction-journal.js'
import { originalsOf } from '../../store/planning/offered-originals.js'
import { DeadlineExceeded, withinDeadline } from '../async/within-deadline.js'
import type { Participant } from '../participants/participant.js'
import { askParticipants } from './ask-participants.js'
import { deriveEntries } from './derive-entries.js'
import { MatchingParticipants } from './matching-participants.js'
import { ParticipantNotifier } from './participant-notifier.js'
import { entryEvent, entryKindOf, operationProposal, transactionEvent, transactionProposal } from './proposals.js'
import { RefusedDependents } from './refused-dependents.js'
import { stoppingError, type TransactionContext } from './transaction-context.js'

/** Operations that are matched or published between two pauses. */
const OPERATIONS_AT_ONCE = 64

/** Performs the effects of one transaction. `core/changeset/transaction-machine.ts` decides their order. */
export class TransactionRun {
  readonly #notifier: ParticipantNotifier
  readonly #began: Map<string, Participant> = new Map()
  readonly #until: number
  #operations: readonly Operation[] = []
  #derived: readonly DerivedEntry[] = []
  #warnings: readonly Warning[] = []
  #matching: MatchingParticipants
  /** Releases the lock on derived entries; null while this transaction does not hold it. */
  #unlock: (() => void) | null = null
  #accepted: Acceptance[] = []
  #refused: RefusedDependents
  #outcome: CommitOutcome | null = null
  #error: unknown = null
  #isPublished = false

  constructor(
    private readonly request: CommitRequest,
    private readonly context: TransactionContext,
  ) {
    this.#notifier = new ParticipantNotifier(context.undelivered, context.operationMs, context.pending)
    this.#refused = new RefusedDependents(context.references)
    this.#matching = new MatchingParticipants([], context.internalKinds)
    this.#until = performance.now() + context.totalMs
  }

  /** Runs the transaction. `notified` settles when every participant was notified of the end, or that has failed. */
  async run(): Promise<{ readonly outcome: CommitOutcome; readonly notified: Promise<void> }> {
    let { state, effects } = beginTransaction(this.request.dryRun)
    while (!isEnded(state)) {
      const [effect] = effects
      if (effect === undefined) throw new Error(`A transaction has no next effect in the state ${state.name}`)
      const stepped = advanceTransaction(state, await this.#perform(effect))
      state = stepped.state
      effects = stepped.effects
    }
    this.#unlockDeriving()
    const notified = this.#end(effects, state)
    await this.#notifier.allAcknowledged()
    if (this.#error !== null) throw this.#error
    return { outcome: this.#outcomeOf(state), notified }
  }

  async #perform(effect: TransactionEffect): Promise<TransactionStep> {
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
          return await this.#undo()
        default:
          throw new Error(`The effect ${effect.type} belongs to the end of a transaction`)
      }
    } catch (error) {
      this.#error = error
      const isLost = error instanceof RegistryError && error.code === 'OUTCOME_UNKNOWN'
      if (effect.type === 'undo') return { type: 'undone' }
      return isLost
        ? { type: 'outcomeUnknown' }
        : {
            type: 'failed',
            reason: error instanceof RegistryError ? error.message : 'An internal error of the gateway',
          }
    }
  }

  async #plan(): Promise<TransactionStep> {
    await this.#lockDeriving()
    const outcome = await this.context.plan(this.request)
    if (outcome.type === 'refused' || outcome.replayed) {
      this.#outcome = outcome
      return { type: 'refused', reason: reasonOf(outcome) }
    }
    const derived = await deriveEntries(outcome, this.request, this.context, this.#until)
    if ('problems' in derived) {
      this.#outcome = { type: 'refused', problems: derived.problems.map((problem) => this.#withIndex(problem)) }
      return { type: 'refused', reason: reasonOf(this.#outcome) }
    }
    this.#derived = derived.entries
    this.#warnings = derived.warnings
    this.#outcome = this.#warned({ ...outcome, delta: derived.delta })
    this.#operations = derived.delta
    this.#accepted = []
    this.#refused = new RefusedDependents(this.context.references)
    const kinds = [...new Set(this.#operations.map(entryKindOf))].filter(
      (kind) => !this.context.internalKinds.has(kind),
    )
    const participants = kinds.length === 0 ? [] : await this.context.directory.forKinds(kinds)
    this.#matching = new MatchingParticipants(participants, this.context.internalKinds)
    return { type: 'planned', first: await this.#next(0) }
  }

  /**
   * Changesets that derive the same entries run one after another. At the same time, only the first one could be
   * committed, and the others would be planned again and again.
   */
  async #lockDeriving(): Promise<void> {
    const { deriver, deriving, stopping } = this.context
    if (deriver === null || this.request.action.type !== 'changeset' || this.#unlock !== null) return
    const locked = deriving.lock()
    try {
      this.#unlock = await withinDeadline(Math.max(0, this.#until - performance.now()), () => locked, {
        signal: stopping,
      })
    } catch (error) {
      void locked.then((unlock) => unlock())
      if (!(error instanceof DeadlineExceeded)) throw error
      const message = `Nothing was committed: other changesets that ${deriver.name} decides on took too long. Try again.`
      throw new RegistryError('UNAVAILABLE', message)
    }
  }

  #unlockDeriving(): void {
    this.#unlock?.()
    this.#unlock = null
  }

  async #open(): Promise<TransactionStep> {
    const fresh = this.#matching.all.filter(({ name }) => !this.#began.has(name))
    for (const participant of fresh) this.#began.set(participant.name, participant)
    if (this.#began.size > 0) {
      await this.context.journal.open(
        { id: this.request.id, operations: this.#operations, notified: [...this.#began.keys()] },
        this.context.leaseMs,
      )
      this.context.leases.keep(this.request.id)
    }
    if (!this.#isPublished)
      this.context.publish(transactionEvent(this.request.id, 'registry.begin', this.#operations.length))
    this.#isPublished = true
    for (const participant of fresh)
      this.#notifier.notify(participant, transactionProposal(this.request.id, 'registry.begin'), true)
    await this.#publishPassing(0, await this.#next(0))
    return { type: 'opened' }
  }

  async #offer(index: number): Promise<TransactionStep> {
    const operation = this.#operations[index]!
    // A participant may take minutes. Without the lock, what is derived may have to be derived again.
    this.#unlockDeriving()
    const {
      request: { id: transaction },
      context,
    } = this
    context.publish(entryEvent(transaction, operation))
    const participants = this.#matching.of(operation)
    const { accepted, problems } = await askParticipants({
      transaction,
      operation,
      index,
      participants,
      operationMs: context.operationMs,
      until: this.#until,
      publish: context.publish,
      ready: (participant) => this.#notifier.acknowledged(participant),
      signal: context.stopping,
    })
    if (context.stopping.aborted) throw stoppingError()
    if (accepted.length > 0) {
      const acceptances = accepted.map((participant) => ({ operation: index, participant }))
      this.#accepted.push(...acceptances)
      await context.journal.accept(transaction, acceptances)
    }
    if (problems.length > 0) await inSlices(this.#refused.add(operation))
    const goesOn = this.request.dryRun || problems.every(({ code }) => code === 'REJECTED')
    const next = goesOn ? await this.#next(index + 1) : null
    if (problems.length === 0) await this.#publishPassing(index + 1, next)
    return { type: 'answered', problems: problems.map((problem) => this.#withIndex(problem, operation.kind)), next }
  }

  async #commit(): Promise<TransactionStep> {
    const offered = this.#began.size > 0 ? { offered: await inSlices(originalsOf(this.#operations)) } : {}
    const { derived } = this.request
    const outcome = await this.context.commit({
      ...this.request,
      ...offered,
      ...(derived !== undefined && { derived: { ...derived, entries: this.#derived } }),
    })
    this.#outcome = this.#warned(outcome)
    if (outcome.type === 'refused' && outcome.stale === 'discarded') return { type: 'claimed' }
    if (outcome.type === 'refused' && outcome.stale === 'changed') return { type: 'moved', reason: reasonOf(outcome) }
    if (outcome.type === 'refused' || outcome.replayed) return { type: 'refused', reason: reasonOf(outcome) }
    return { type: 'committed' }
  }

  async #undo(): Promise<TransactionStep> {
    const { id: transaction } = this.request
    for (const { operation, names } of inversesOf(this.#operations, this.#accepted)) {
      this.context.publish(entryEvent(transaction, operation))
      for (const name of names) {
        const participant = this.#began.get(name)
        if (participant !== undefined)
          this.#notifier.notify(participant, operationProposal(transaction, operation, null), false)
      }
    }
    return { type: 'undone' }
  }

  /**
   * Notifies the participants that received the beginning about the end, then closes the transaction in the journal.
   */
  async #end([effect]: readonly TransactionEffect[], state: TransactionState): Promise<void> {
    const { id } = this.request
    if (effect === undefined) {
      if (state.name === 'HANDED_OVER') this.context.leases.release(id)
      return
    }
    const kind = effect.type === 'notifyCommit' ? 'registry.commit' : 'registry.discard'
    const revision = this.#outcome?.type === 'applied' ? this.#outcome.revision : null
    const ending = effect.type === 'notifyDiscard' ? { error: effect.reason } : { revision }
    if (this.#isPublished) this.context.publish(transactionEvent(id, kind, this.#operations.length, ending))
    if (this.#began.size === 0) return
    for (const participant of this.#began.values())
      this.#notifier.notify(participant, transactionProposal(id, kind), true)
    await this.#notifier.settled()
    // If the store is unavailable, the lease expires, and the gateway that claims the transaction notifies everything again.
    await this.context.journal.close(id).catch(() => {})
    this.context.leases.release(id)
  }

  #outcomeOf(state: TransactionState): CommitOutcome {
    if (state.problems.length > 0) return { type: 'refused', problems: state.problems }
    if (this.#outcome === null) throw new Error('A transaction ended without an outcome')
    return this.#outcome
  }

  /** Index of the first operation from here on that has to be offered. */
  async #next(from: number): Promise<number | null> {
    for (let index = from; index < this.#operations.length; index++) {
      const pause = index % OPERATIONS_AT_ONCE === OPERATIONS_AT_ONCE - 1 ? pauseIfDue() : undefined
      if (pause !== undefined) await pause
      const operation = this.#operations[index]!
      if (!this.request.dryRun && this.#refused.isAny) {
        if (await inSlices(this.#refused.absorbs(operation))) continue
      }
      if (this.#matching.of(operation).length > 0) return index
    }
    return null
  }

  /** Publishes the operations without a participant, in their order. */
  async #publishPassing(from: number, next: number | null): Promise<void> {
    for (const [i, operation] of this.#operations.slice(from, next ?? undefined).entries()) {
      const pause = i % OPERATIONS_AT_ONCE === OPERATIONS_AT_ONCE - 1 ? pauseIfDue() : undefined
      if (pause !== undefined) await pause
      if (!this.context.internalKinds.has(entryKindOf(operation)))
        this.context.publish(entryEvent(this.request.id, operation))
    }
  }

  /** Adds the index of the operation as it was sent. For a replacement, that is the index of its delete. */
  #withIndex(problem: Problem, kindAsked?: OperationKind): Problem {
    const { action } = this.request
    if (action.type !== 'changeset') return problem
    const sent =
      action.operations.find(({ id, kind }) => id === problem.entryId && kind === kindAsked) ??
      action.operations.find(({ id }) => id === problem.entryId)
    return sent === undefined ? problem : { ...problem, operation: sent.index }
  }

  #warned(outcome: CommitOutcome): CommitOutcome {
    return outcome.type === 'refused' || outcome.replayed || this.#warnings.length === 0
      ? outcome
      : { ...outcome, warnings: this.#warnings }
  }
}

/** Returns the inverses of accepted operations in reverse order, each with the participants that had accepted it. */
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
