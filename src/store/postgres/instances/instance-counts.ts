import type { EntryId } from '../../../core/entry/entry-id.js'
import type { BatchInstances } from '../../contract/instances.js'
import { storedId } from '../base/entry-row.js'
import type { Transaction } from '../base/retrying-client.js'
import { endInstances, type UseColumns } from './instance-sql.js'

/** Instances of entries as one database transaction found them, and which of them it is to end. */
export class InstanceCounts implements BatchInstances {
  /** By entry; with 0 where all that stands has expired. */
  readonly #live = new Map<EntryId, number>()
  #ended: EntryId[] = []

  add(rows: readonly UseColumns[]): void {
    for (const { ns, name, live } of rows) this.#live.set(storedId(ns, name), live)
  }

  live(id: EntryId): number {
    return this.#live.get(id) ?? 0
  }

  end(id: EntryId): void {
    // What has expired goes too: a clock that is put back must not bring it to life beside an entry that is gone.
    if (this.#live.delete(id)) this.#ended.push(id)
  }

  /** Writes down what has ended since it was last called. */
  async flush(sql: Transaction): Promise<void> {
    if (this.#ended.length === 0) return
    await endInstances(sql, this.#ended.splice(0))
  }
}
