import { RegistryError } from '../../core/errors/registry-error.js'
import type { CommitOutcome, CommitRequest, HistoryWriter } from '../../store/contract/history-writer.js'

export interface QueueLimits {
  /** Of one batch; a single request may be larger than all of them. */
  readonly batchRequests: number
  readonly batchOperations: number
  readonly batchBytes: number
  /** Of all that wait. */
  readonly waitingRequests: number
  readonly waitingBytes: number
  /** Who has waited for longer is told so instead of being committed. */
  readonly waitMs: number
}

export const QUEUE_LIMITS: QueueLimits = {
  /** @bound Requests in one commit batch. */
  batchRequests: 512,
  /** @bound Operations in one commit batch, unless a single request has more. */
  batchOperations: 20_000,
  /** @bound Size of one commit batch, unless a single request is larger. */
  batchBytes: 64 * 1024 * 1024,
  /** @bound Requests that wait in the commit queue. */
  waitingRequests: 10_000,
  /** @bound Size of the requests that wait in the commit queue. */
  waitingBytes: 256 * 1024 * 1024,
  /** @bound Time that a changeset waits in the commit queue before it is refused. */
  waitMs: 30_000,
}

interface Waiting {
  readonly request: CommitRequest
  readonly operations: number
  readonly bytes: number
  readonly since: number
  resolve(outcome: CommitOutcome): void
  reject(error: unknown): void
}

/**
 * Group commit: whoever waits while a batch is being written goes into the next one, in the order they came.
 * One fsync then serves them all: a lone writer waits for nothing, and 64 writers get about ten times as
 * many commits a second as one by one.
 */
export class CommitQueue {
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #running: Promise<void> | null = null
  #closed = false

  constructor(
    private readonly history: HistoryWriter,
    private readonly limits: QueueLimits = QUEUE_LIMITS,
  ) {}

  /** @throws RegistryError UNAVAILABLE (not committed), OUTCOME_UNKNOWN (perhaps committed) */
  commit(request: CommitRequest, bytes: number): Promise<CommitOutcome> {
    if (this.#closed) return Promise.reject(unavailable('the gateway is stopping'))
    if (this.#waiting.length >= this.limits.waitingRequests || this.#waitingBytes + bytes > this.limits.waitingBytes) {
      return Promise.reject(unavailable('too many changesets wait to be committed'))
    }
    return new Promise((resolve, reject) => {
      const operations = request.action.type === 'changeset' ? request.action.operations.length : 0
      this.#waiting.push({ request, operations, bytes, since: performance.now(), resolve, reject })
      this.#waitingBytes += bytes
      this.#running ??= this.#run()
    })
  }

  /** Takes nothing more and resolves when all that waits has been settled. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Those who came in the same turn go together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      if (batch.length > 0) await this.#write(batch)
    }
    this.#running = null
  }

  #take(): Waiting[] {
    const batch: Waiting[] = []
    let operations = 0
    let bytes = 0
    let taken = 0
    for (const waiting of this.#waiting) {
      const first = batch.length === 0
      const fits =
        batch.length < this.limits.batchRequests &&
        operations + waiting.operations <= this.limits.batchOperations &&
        bytes + waiting.bytes <= this.limits.batchBytes
      if (!first && !fits) break
      taken += 1
      this.#waitingBytes -= waiting.bytes
      if (performance.now() - waiting.since > this.limits.waitMs) {
        waiting.reject(
          unavailable(`others were committed for ${this.limits.waitMs / 1000} seconds before it was this one's turn`),
        )
        continue
      }
      batch.push(waiting)
      operations += waiting.operations
      bytes += waiting.bytes
    }
    this.#waiting = this.#waiting.slice(taken)
    return batch
  }

  /** Never throws: each of the batch is settled. */
  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.history.commit(batch.map(({ request }) => request))
      if (outcomes.length !== batch.length) throw new Error(`${batch.length} requests had ${outcomes.length} outcomes`)
      for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i]!)
    } catch (error) {
      if (batch.length === 1 || concernsAll(error)) {
        for (const { reject } of batch) reject(error)
        return
      }
      // Nothing was committed. One of them has something in it that the store cannot write: it alone is to fail.
      const half = batch.length >> 1
      await this.#write(batch.slice(0, half))
      await this.#write(batch.slice(half))
    }
  }
}

const CONCERNING_ALL: readonly string[] = ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'TIMEOUT']

function concernsAll(error: unknown): boolean {
  return error instanceof RegistryError && CONCERNING_ALL.includes(error.code)
}

function unavailable(why: string): RegistryError {
  return new RegistryError('UNAVAILABLE', `nothing was committed: ${why}; try again`)
}
