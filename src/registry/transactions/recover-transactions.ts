import type { BusEvent } from '../../core/events/bus-event.js'
import type { OpenTransaction, TransactionJournal } from '../../store/contract/transaction-journal.js'
import { pause } from '../async/pause.js'
import { isTransient } from '../async/retry-while-unavailable.js'
import type { ParticipantDirectory } from '../participants/participant.js'
import type { LeaseKeeper } from './lease-keeper.js'
import { type OnUndelivered, ParticipantNotifier, type PendingNotifications } from './participant-notifier.js'
import { entryEvent, entryKindOf, operationProposal, transactionEvent, transactionProposal } from './proposals.js'
import { inversesOf } from './transaction-run.js'

/** The dependencies of recovery. */
export interface RecoveryContext {
  readonly directory: ParticipantDirectory
  readonly journal: TransactionJournal
  readonly leases: LeaseKeeper
  readonly leaseMs: number
  readonly operationMs: number
  publish(event: BusEvent): void
  undelivered: OnUndelivered
  readonly pending: PendingNotifications
  /** Receives errors, except for errors because the store is unavailable. */
  failed(error: unknown): void
}

/** Leases between two searches: an idle gateway makes one small query every 30 s. */
const LEASES_BETWEEN_SEARCHES = 2

const ABANDONED = 'The gateway that ran it has ended'

/**
 * Ends transactions that dead gateways left open, at once and then at intervals. A transaction that made a transition is notified
 * as committed. Any other changed nothing, and claiming it ensures that it never will.
 */
export async function recoverTransactions(context: RecoveryContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for (;;) {
        const transaction = await context.journal.claimExpired(context.leaseMs)
        if (transaction === null || signal.aborted) break
        await endAbandoned(transaction, context)
      }
    } catch (error) {
      if (!isTransient(error)) context.failed(error)
    }
    await pause(LEASES_BETWEEN_SEARCHES * context.leaseMs, signal)
  }
}

async function endAbandoned(
  { id, operations, notified, accepted }: OpenTransaction,
  context: RecoveryContext,
): Promise<void> {
  const { journal, leases, directory } = context
  leases.keep(id)
  try {
    const revision = await journal.revisionOf(id)
    const matching = await directory.forKinds([...new Set(operations.map(entryKindOf))])
    const participants = matching.filter(({ name }) => notified.includes(name))
    const notifier = new ParticipantNotifier(context.undelivered, context.operationMs, context.pending)
    if (revision === null) {
      for (const { operation, names } of inversesOf(operations, accepted)) {
        context.publish(entryEvent(id, operation))
        for (const participant of participants.filter(({ name }) => names.includes(name))) {
          notifier.notify(participant, operationProposal(id, operation, null), false)
        }
      }
    }
    const kind = revision === null ? 'registry.discard' : 'registry.commit'
    for (const participant of participants) notifier.notify(participant, transactionProposal(id, kind), true)
    context.publish(
      transactionEvent(id, kind, operations.length, revision === null ? { error: ABANDONED } : { revision }),
    )
    await notifier.settled()
    await journal.close(id)
  } finally {
    leases.release(id)
  }
}
