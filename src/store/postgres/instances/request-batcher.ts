import { type BatchLimits, BatchQueue } from '../../coalescing/batch-queue.js'

const INSTANCE_BATCH_LIMITS: BatchLimits = {
  /** @bound Acquires, renewals or releases in one statement. */
  requests: 500,
  items: Infinity,
  bytes: 4 * 1024 * 1024,
  /** @bound Instance requests of one type that wait. */
  waitingRequests: 20_000,
  /** @bound Size of the instance requests of one type that wait. */
  waitingBytes: 64 * 1024 * 1024,
  /** @bound Time that an instance request waits. */
  waitMs: 10_000,
}

/** The answer to a request whose row another transaction has locked: the request joins a later batch. */
export const BUSY = Symbol('busy')

/**
 * Writes small requests together, so that they share a statement and its fsync. Two requests with the same key never share a batch.
 * @param write - answers the requests in their order
 */
export function requestBatcher<Request, Answer>(
  write: (requests: readonly Request[]) => Promise<readonly (Answer | typeof BUSY)[]>,
  keyOf: (request: Request) => string,
): BatchQueue<Request, Answer> {
  return new BatchQueue<Request, Answer>({
    async send(batch, retry) {
      const answers = await write(batch.map(({ request }) => request))
      for (const [i, pending] of batch.entries()) {
        const answer = answers[i]
        if (answer === BUSY) retry(pending)
        else pending.onResult(answer as Answer)
      }
    },
    limits: INSTANCE_BATCH_LIMITS,
    refusal: 'Nothing was written',
    keyOf,
  })
}
