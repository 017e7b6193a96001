/** @bound Size of the results that are buffered for slower subscribers, over all feeds. */
const RESULT_BUFFER_BYTES = 16 * 1024 * 1024
/** Bookkeeping of one result, in addition to its text. */
const OVERHEAD_BYTES = 400
/** Evicted results are cut off the queue this many at a time. */
const CUT = 1_024

/** Refers to the buffer of a result. It is cleared when the buffer has ended, so that the budget keeps no ended feed alive. */
export interface BufferOwner {
  buffer: { evictOldest(): void } | null
}

/** Bounds the memory of the results that all feeds buffer. Evicts the oldest result first, whichever feed holds it. */
export class ResultBufferBudget {
  #queue: { readonly owner: BufferOwner; readonly bytes: number }[] = []
  #first = 0
  #bytes = 0

  constructor(private readonly maxBytes = RESULT_BUFFER_BYTES) {}

  /** Counts a result that a feed has buffered. */
  add(owner: BufferOwner, textBytes: number): void {
    const bytes = textBytes + OVERHEAD_BYTES
    this.#queue.push({ owner, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.maxBytes) {
      const oldest = this.#queue[this.#first]!
      this.#first += 1
      this.#bytes -= oldest.bytes
      // An ended buffer holds nothing, but its results are counted until they are the oldest.
      oldest.owner.buffer?.evictOldest()
    }
    if (this.#first >= CUT) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
  }
}
