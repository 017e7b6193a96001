import { randomUUID } from 'node:crypto'
import type { Acceptance, OpenTransaction, TransactionJournal } from '../contract/transaction-journal.js'

interface Row {
  readonly transaction: Omit<OpenTransaction, 'accepted'>
  readonly accepted: Acceptance[]
  /** When the lease ends, by `performance.now()`. */
  leaseUntil: number
}

/** Opens a journal that is lost with its registry, so no other gateway ever adopts its transactions. */
export function openMemoryJournal(revisionOf: (id: string) => number | null): TransactionJournal {
  const rows = new Map<string, Row>()
  return {
    owner: randomUUID(),
    async open(transaction, leaseMs) {
      rows.set(transaction.id, { transaction, accepted: [], leaseUntil: performance.now() + leaseMs })
    },
    async accept(id, acceptances) {
      rows.get(id)?.accepted.push(...acceptances)
    },
    async renew(ids, leaseMs) {
      for (const row of ids.map((id) => rows.get(id)))
        if (row !== undefined) row.leaseUntil = performance.now() + leaseMs
    },
    async close(id) {
      rows.delete(id)
    },
    async claimExpired(leaseMs) {
      const now = performance.now()
      for (const row of rows.values()) {
        if (row.leaseUntil > now) continue
        row.leaseUntil = now + leaseMs
        return { ...row.transaction, accepted: row.accepted }
      }
      return null
    },
    revisionOf: async (id) => revisionOf(id),
  }
}
