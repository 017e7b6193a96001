import type { Operation } from '../../core/ordering/operation.js'

/** That a participant has accepted an operation, by its place among the transaction's. */
export interface Acceptance {
  readonly operation: number
  readonly participant: string
}

/** A transaction that somebody outside has heard of, as far as it has got. */
export interface OpenTransaction {
  /** That of its commit request. */
  readonly id: string
  readonly operations: readonly Operation[]
  /** Names of those that have been, or are about to be, told that it begins. */
  readonly notified: readonly string[]
  readonly accepted: readonly Acceptance[]
}

/**
 * What is kept of open transactions so that, should their gateway die, another one ends them. A row is owned under
 * a lease; only its owner may commit the transaction, which the store checks under its lock.
 */
export interface TransactionJournal {
  /** Names this gateway among the owners. */
  readonly owner: string
  /** Writes it down, or anew with other operations, without acceptances. */
  open(transaction: Omit<OpenTransaction, 'accepted'>, leaseMs: number): Promise<void>
  accept(id: string, acceptances: readonly Acceptance[]): Promise<void>
  /** Puts off the ends of these leases. */
  renew(ids: readonly string[], leaseMs: number): Promise<void>
  /** It has ended and all have been told. */
  close(id: string): Promise<void>
  /** Takes over one whose lease has run out; null where there is none. */
  claimExpired(leaseMs: number): Promise<OpenTransaction | null>
  /** The transition that it made; null where it made none. */
  revisionOf(id: string): Promise<number | null>
}
