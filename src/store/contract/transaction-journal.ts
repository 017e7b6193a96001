import type { Operation } from '../../core/ordering/operation.js'

/** A participant's acceptance of one operation, given by its index in the transaction. */
export interface Acceptance {
  readonly operation: number
  readonly participant: string
}

/** A transaction of which participants have been notified. */
export interface OpenTransaction {
  /** The id of its commit request. */
  readonly id: string
  readonly operations: readonly Operation[]
  /** Names of the participants that have been, or are about to be, notified that it begins. */
  readonly notified: readonly string[]
  readonly accepted: readonly Acceptance[]
}

/**
 * Records open transactions, so that another gateway can end them if theirs dies. A record is owned under a lease. Only
 * its owner may commit the transaction, and the store checks that under its lock.
 */
export interface TransactionJournal {
  /** This gateway's name as an owner. */
  readonly owner: string
  /** Records a transaction without acceptances, or replaces its operations. */
  open(transaction: Omit<OpenTransaction, 'accepted'>, leaseMs: number): Promise<void>
  accept(id: string, acceptances: readonly Acceptance[]): Promise<void>
  /** Extends these leases. */
  renew(ids: readonly string[], leaseMs: number): Promise<void>
  /** Removes a transaction that has ended, after all participants were notified. */
  close(id: string): Promise<void>
  /** Claims a transaction whose lease has expired; null if there is none. */
  claimExpired(leaseMs: number): Promise<OpenTransaction | null>
  /** The revision of the transaction's transition; null if it made none. */
  revisionOf(id: string): Promise<number | null>
}
