import type { CommitOutcome } from '../../contract/history-writer.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { COPY_FROM_ROWS } from './copy-batch.js'

/**
 * Refreshes the planner's statistics after a large changeset. Autovacuum does so a minute later. Until then a find by
 * an indexed column reads the whole table, which takes 50 ms instead of 1 for 100,000 entries.
 */
export class StatisticsRefresher {
  #running: Promise<unknown> | null = null

  constructor(private readonly client: RetryingClient) {}

  after(outcomes: readonly CommitOutcome[]): void {
    const isLarge = outcomes.some(
      (outcome) => outcome.type === 'applied' && !outcome.dryRun && outcome.delta.length >= COPY_FROM_ROWS,
    )
    if (!isLarge || this.#running !== null) return
    this.#running = this.client
      .run((sql) => sql`ANALYZE head, change, entry_name, reference`)
      // The role may not own the tables, or the server is unavailable. Finds are then slower for a minute.
      .catch(() => undefined)
      .finally(() => {
        this.#running = null
      })
  }

  async close(): Promise<void> {
    await this.#running
  }
}
