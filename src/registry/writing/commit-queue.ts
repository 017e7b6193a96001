import { RegistryError } from '../../core/errors/registry-error.js'
import { type BatchLimits, BatchQueue, type PendingRequest } from '../../store/coalescing/batch-queue.js'
import type { CommitOutcome, CommitRequest, HistoryWriter } from '../../store/contract/history-writer.js'

export const COMMIT_QUEUE_LIMITS: BatchLimits = {
  /** @bound Requests in one commit batch. */
  requests: 512,
  /** @bound Operations in one commit batch, unless a single request has more. */
  items: 20_000,
  /** @bound Size of one commit batch, unless a single request is larger. */
  bytes: 64 * 1024 * 1024,
  /** @bound Requests that wait in the commit queue. */
  waitingRequests: 10_000,
  /** @bound Size of the requests that wait in the commit queue. */
  waitingBytes: 256 * 1024 * 1024,
  /** @bound Time that a changeset waits in the commit queue before it is refused. */
  waitMs: 30_000,
}

type PendingCommit = PendingRequest<CommitRequest, CommitOutcome>

/**
 * Commits changesets in groups. Those that arrive while a batch is being written join the next one, in the order in which they
 * arrived, so one fsync serves them all. 64 writers get about ten times as many commits a second as one by one.
 */
export class CommitQueue {
  readonly #queue: BatchQueue<CommitRequest, CommitOutcome>

  constructor(
    private readonly history: HistoryWriter,
    limits: BatchLimits = COMMIT_QUEUE_LIMITS,
  ) {
    this.#queue = new BatchQueue({ send: (batch) => this.#write(batch), limits, refusal: 'Nothing was committed' })
  }

  /**
   * @param bytes - size of the request's contents
   * @throws RegistryError UNAVAILABLE if nothing was committed, OUTCOME_UNKNOWN if it may have been, HISTORY_NOT_KEPT
   */
  commit(request: CommitRequest, bytes: number): Promise<CommitOutcome> {
    const operations = request.action.type === 'changeset' ? request.action.operations.length : 0
    return this.#queue.request(request, operations, bytes)
  }

  /** Refuses further requests and resolves when all that wait are settled. */
  close(): Promise<void> {
    return this.#queue.close()
  }

  /** Never rejects: each request of the batch is settled. */
  async #write(batch: readonly PendingCommit[]): Promise<void> {
    try {
      const outcomes = await this.history.commit(batch.map(({ request }) => request))
      if (outcomes.length !== batch.length) throw new Error(`${batch.length} requests had ${outcomes.length} outcomes`)
      for (const [i, { onResult, onError }] of batch.entries()) {
        const outcome = outcomes[i]!
        if (outcome.type === 'failed') onError(outcome.error)
        else onResult(outcome)
      }
    } catch (error) {
      if (batch.length === 1 || failsWholeBatch(error)) {
        for (const { onError } of batch) onError(error)
        return
      }
      // Nothing was committed. The store cannot write one of the requests, and only that one should fail. So the batch
      // is halved until it is alone.
      const half = batch.length >> 1
      await this.#write(batch.slice(0, half))
      await this.#write(batch.slice(half))
    }
  }
}

const WHOLE_BATCH_CODES: readonly string[] = ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'TIMEOUT']

function failsWholeBatch(error: unknown): boolean {
  return error instanceof RegistryError && WHOLE_BATCH_CODES.includes(error.code)
}
