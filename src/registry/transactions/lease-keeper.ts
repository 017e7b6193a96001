import type { TransactionJournal } from '../../store/contract/transaction-journal.js'

/** @bound Lease of an open transaction. A gateway that does not renew it in time is considered dead. */
export const TRANSACTION_LEASE_MS = 15_000

/** Renews the leases of this gateway's open transactions, all by one statement. While none is open it does nothing. */
export class LeaseKeeper {
  readonly #open = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly journal: TransactionJournal,
    private readonly leaseMs: number,
  ) {}

  keep(id: string): void {
    this.#open.add(id)
    this.#timer ??= setInterval(() => {
      // The store is unavailable. The next interval retries, and a gateway that would claim the transaction needs the store too.
      this.journal.renew([...this.#open], this.leaseMs).catch(() => {})
    }, this.leaseMs / 3)
    this.#timer.unref()
  }

  release(id: string): void {
    this.#open.delete(id)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
