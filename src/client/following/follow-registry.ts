import { backoffMs, sleep } from '../connecting/backoff.js'
import { ClientError, errorOfResult, isTransient } from '../connecting/client-error.js'
import type { Connection } from '../connecting/client-options.js'
import { openStream } from '../connecting/open-stream.js'
import { type Batch, batchOf, CHANGES, type SentBatch } from './change-batch.js'

export interface FollowOptions {
  /** Criteria, as in the query `entries(find:)`. */
  readonly find?: Readonly<Record<string, unknown>>
  /** A filter, as in the query `entries(where:)`. */
  readonly where?: Readonly<Record<string, unknown>>
  /** Sends the matching entries first. */
  readonly initial?: boolean
  /** Continues after the batch with this cursor. */
  readonly after?: string | null
  /** Receives each batch, instead of the iterator. The next one waits for its promise. */
  readonly onBatch?: (batch: Batch) => unknown
  /** Ends following. */
  readonly signal?: AbortSignal
}

/**
 * Follows changes through every break of the connection, and after a normal end of the stream too, because a federated
 * gateway ends its clients' streams when Cadastre restarts. Nothing is missing and nothing comes twice.
 * @throws ClientError if the gateway refuses the subscription, e.g. INVALID_CRITERIA or INVALID_CURSOR
 */
export async function* follow(connection: Connection, options: FollowOptions): AsyncGenerator<Batch> {
  const signal = options.signal ?? new AbortController().signal
  const received = new ReceivedPlace(options.after ?? null)
  let initial = options.initial ?? false
  let isReset = false
  for (let attempt = 0; !signal.aborted; attempt++) {
    const variables = { find: options.find, where: options.where, initial, after: received.cursor }
    try {
      for await (const { data, errors } of openStream(connection, CHANGES, variables, signal)) {
        if (errors !== undefined) throw errorOfResult(errors)
        const batch = (data as { changes: SentBatch }).changes
        attempt = 0
        if (!received.isNew(batch)) continue
        received.add(batch)
        yield batchOf(batch, isReset)
        isReset = false
        if (signal.aborted) return
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ClientError && error.code === 'COMPACTED') {
        received.forget()
        initial = true
        isReset = true
      } else if (!isTransient(error)) throw error
    }
    await sleep(backoffMs(attempt), signal)
  }
}

/** The place in the stream up to which batches were received. */
class ReceivedPlace {
  #complete = -1
  /** The cursors of the revision that is not complete. */
  readonly #partial = new Set<string>()

  constructor(public cursor: string | null) {}

  /** A federated gateway that reconnects by itself begins at its first cursor again. */
  isNew({ cursor, revision, changes }: SentBatch): boolean {
    if (this.#partial.has(cursor)) return false
    return changes.length === 0 ? revision >= this.#complete : revision > this.#complete
  }

  add({ cursor, revision, complete }: SentBatch): void {
    this.cursor = cursor
    if (complete) {
      this.#complete = revision
      this.#partial.clear()
    } else this.#partial.add(cursor)
  }

  forget(): void {
    this.cursor = null
    this.#complete = -1
    this.#partial.clear()
  }
}
