import type { EntryId } from '../../core/entry/entry-id.js'
import { BatchQueue, type PendingRequest } from '../../store/coalescing/batch-queue.js'
import type { HeadEntries, HeadReader } from '../../store/contract/head-reader.js'

/** @bound Statements in flight at a time that read entries at the head. Further requests are read together. */
const MAX_STATEMENTS = 4
/**
 * From this many requests in flight, another statement waits for `WORTH_A_STATEMENT` requests, because a statement
 * costs as much as answering some of them.
 */
const FEW_REQUESTS = 4
const WORTH_A_STATEMENT = 40
/** @bound Ids in one statement that reads entries at the head, unless a single request has more. */
const MAX_IDS = 64

export type EntryBatcher = BatchQueue<readonly EntryId[], HeadEntries>

/**
 * Reads entries at the head for many requests with one statement. Requests of one event-loop tick share it, and so do those that
 * come while enough statements are in flight. A result may hold entries of other requests.
 */
export function entryBatcher(reader: Pick<HeadReader, 'entries'>): EntryBatcher {
  async function send(batch: readonly PendingRequest<readonly EntryId[], HeadEntries>[]): Promise<void> {
    const found = await reader.entries([...new Set(batch.flatMap(({ request }) => request))])
    for (const { onResult } of batch) onResult(found)
  }
  return new BatchQueue({
    send,
    limits: {
      requests: Infinity,
      items: MAX_IDS,
      bytes: Infinity,
      waitingRequests: Infinity,
      waitingBytes: Infinity,
      waitMs: Infinity,
    },
    refusal: 'Nothing was read',
    mayStart: ({ batches, requests }, waiting) =>
      batches < MAX_STATEMENTS && (requests < FEW_REQUESTS || waiting >= WORTH_A_STATEMENT),
    schedule: (start) => void setImmediate(start),
  })
}
