import type { ExtractReferences } from '../../core/dependency/reference.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { BusEvent } from '../../core/events/bus-event.js'
import type { CommitOutcome, CommitRequest } from '../../store/contract/history-writer.js'
import type { TransactionJournal } from '../../store/contract/transaction-journal.js'
import type { Mutex } from '../async/mutex.js'
import type { ParticipantDirectory } from '../participants/participant.js'
import type { EntryDeriver } from './entry-deriver.js'
import type { LeaseKeeper } from './lease-keeper.js'
import type { OnUndelivered, PendingNotifications } from './participant-notifier.js'

/** The dependencies of a transaction. */
export interface TransactionContext {
  readonly directory: ParticipantDirectory
  /** Null if there is none, or if it is not concerned. */
  readonly deriver: EntryDeriver | null
  /** Held by the changeset that the deriver is concerned with, because each depends on the one before. */
  readonly deriving: Mutex
  readonly journal: TransactionJournal
  readonly leases: LeaseKeeper
  readonly leaseMs: number
  readonly references: ExtractReferences
  readonly internalKinds: ReadonlySet<string>
  /** Time for each offer and for all offers of the transaction, in milliseconds. */
  readonly operationMs: number
  readonly totalMs: number
  /** Plans the request against the head without a lock, as a dry run. */
  plan(request: CommitRequest): Promise<CommitOutcome>
  commit(request: CommitRequest): Promise<CommitOutcome>
  publish(event: BusEvent): void
  undelivered: OnUndelivered
  readonly pending: PendingNotifications
  /** Aborts when the gateway stops. Answers are no longer awaited then. */
  readonly stopping: AbortSignal
}

/** Returns the error of writes that fail because the gateway is stopping. */
export function stoppingError(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'Nothing was committed: the gateway is stopping. Try again.')
}
