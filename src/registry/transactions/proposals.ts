import { randomUUID } from 'node:crypto'
import type { EntryContent, SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import { busEvent, type EntryEvent, type TransactionEvent } from '../../core/events/bus-event.js'
import type { OperationEventKind, TransactionEventKind } from '../../core/events/event-kinds.js'
import type { Operation, OperationKind } from '../../core/ordering/operation.js'
import type { Proposal } from '../participants/participant.js'

const EVENT_KIND: Readonly<Record<OperationKind, OperationEventKind>> = {
  CREATE: 'entry.create',
  UPDATE: 'entry.update',
  DELETE: 'entry.delete',
}

/** Returns the kind of an operation's entry. For a delete, that of the deleted content. */
export function entryKindOf({ content, original }: Operation): string {
  return (content ?? original)!.kind
}

/** Makes the proposal of an operation to one participant. It awaits an answer if it has a deadline. */
export function operationProposal(transaction: string, operation: Operation, deadline: Date | null): Proposal {
  return {
    id: randomUUID(),
    transaction,
    kind: EVENT_KIND[operation.kind],
    ...contentsOf(operation),
    awaitsAnswer: deadline !== null,
    deadline,
  }
}

/** Makes a notification that a transaction begins or how it ended. */
export function transactionProposal(transaction: string, kind: TransactionEventKind): Proposal {
  return { id: randomUUID(), transaction, kind, entry: null, original: null, awaitsAnswer: false, deadline: null }
}

/** Makes the bus event of an operation, or of a participant's answer to it. */
export function entryEvent(
  transaction: string,
  operation: Operation,
  answer?: { kind: 'entry.accept' | 'entry.reject'; participant: string; reason: string | null },
): EntryEvent {
  return busEvent(answer?.kind ?? EVENT_KIND[operation.kind], {
    path: operation.id,
    at: new Date(),
    transaction,
    entryId: operation.id,
    ...contentsOf(operation),
    participant: answer?.participant ?? null,
    reason: answer?.reason ?? null,
  })
}

/** Makes the bus event of a transaction. */
export function transactionEvent(
  transaction: string,
  kind: TransactionEventKind,
  operationCount: number,
  { revision = null, error = null }: { revision?: number | null; error?: string | null } = {},
): TransactionEvent {
  return busEvent(kind, { path: transaction, at: new Date(), transaction, operationCount, revision, error })
}

function contentsOf({ id, content, original }: Operation) {
  return { entry: contentOf(id, content), original: contentOf(id, original) }
}

function contentOf(id: EntryId, content: SealedContent | null): EntryContent | null {
  return content === null ? null : { id, content }
}
