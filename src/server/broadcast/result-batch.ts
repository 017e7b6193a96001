import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { DeliveredResults } from '../pipeline/operation-request.js'

/** @bound Size of the frames that are cached for subscribers who reach the same position next, over all feeds. */
const FRAMES_BYTES = 4 * 1024 * 1024
/** Bookkeeping of one batch, in addition to its frames. */
const OVERHEAD_BYTES = 200
/** Evicted batches are cut off the queue this many at a time. */
const CUT = 1_024

/** One result of a subscription, shared by all its recipients. */
export interface SharedResult {
  /** The result's JSON in UTF-8. */
  readonly text: Buffer
  /** The stream's position after this result. Null if that is not a position in the log. */
  readonly place: StreamPosition | null
  /** When its computation began, by `performance.now()`. */
  readonly begun: number
  /** Whether a batch ends before this result. */
  readonly isCut: boolean
  /** The batch that was last delivered beginning with this result. */
  batch: ResultBatch | null
}

/** Consecutive results that are delivered together, to every subscriber at the same position. */
export class ResultBatch implements DeliveredResults {
  #frames: { readonly key: string; readonly bytes: Buffer } | null = null

  /**
   * @param results - At least one, in order
   * @param cache - Null writes the frames again for each recipient
   */
  constructor(
    private results: readonly SharedResult[],
    private readonly cache: FrameCache | null,
  ) {}

  get length(): number {
    return this.results.length
  }

  get last(): SharedResult {
    return this.results.at(-1)!
  }

  [Symbol.iterator](): IterableIterator<SharedResult> {
    return this.results[Symbol.iterator]()
  }

  /**
   * Returns the results as bytes of a wire format. Recipients with the same `key` share the bytes. WebSocket clients do
   * so if they give their subscriptions the same id.
   */
  frames(key: string, write: (texts: readonly Buffer[]) => Buffer): Buffer {
    if (this.#frames?.key === key) return this.#frames.bytes
    const bytes = write(this.results.map(({ text }) => text))
    if (this.cache === null) return bytes
    if (this.#frames === null) this.cache.add(this, bytes.length)
    this.#frames = { key, bytes }
    return bytes
  }

  /** Drops the results and frames, so that references to this batch hold no memory. Idempotent. */
  evict(): void {
    const [first] = this.results
    if (first?.batch === this) first.batch = null
    this.#frames = null
    this.results = []
  }
}

/** Bounds the memory of the frames of all batches. Evicts the oldest first. */
export class FrameCache {
  #queue: { readonly batch: ResultBatch; readonly bytes: number }[] = []
  #first = 0
  #bytes = 0

  constructor(private readonly maxBytes = FRAMES_BYTES) {}

  /** Counts the frames of a batch that had none before. */
  add(batch: ResultBatch, frameBytes: number): void {
    const bytes = frameBytes + OVERHEAD_BYTES
    this.#queue.push({ batch, bytes })
    this.#bytes += bytes
    // The newest batch stays, whatever its size, because every waiting subscriber is about to receive it.
    while (this.#bytes > this.maxBytes && this.#first < this.#queue.length - 1) {
      const oldest = this.#queue[this.#first]!
      this.#first += 1
      this.#bytes -= oldest.bytes
      oldest.batch.evict()
    }
    if (this.#first >= CUT) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
  }
}
