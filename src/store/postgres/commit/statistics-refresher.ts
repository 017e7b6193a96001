import type { CommitOutcome } from '../../contract/history-writer.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { COPY_FROM_ROWS } from './copy-batch.js'

/**
 * Keeps the planner's statistics up with what we write: after a large changeset the server's own turn comes a
 * minute later, and until then a find by an index's column reads the table (50 ms in place of 1 at 100,000).
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
      // Not ours to analyse, or the server is gone: finding is slower for a minute, nothing else.
      .catch(() => undefined)
      .finally(() => {
        this.#running = null
      })
  }

  async close(): Promise<void> {
    await this.#running
  }
}
