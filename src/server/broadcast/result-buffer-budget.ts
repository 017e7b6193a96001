import { FrameCache } from './frame-memory.js'
import type { ResultFeed } from './result-feed.js'

/** @bound Size of the results that are buffered for slower subscribers, over all feeds. */
export const RESULT_BUFFER_BYTES = 16 * 1024 * 1024
/** Bookkeeping of one result, beside its text. */
const OVERHEAD_BYTES = 400
/** Dropped entries are cut off the queue this many at a time. */
const CUT = 1_024

/** Who keeps a result; null once it keeps nothing any more. Of a run that is over no more than this is to be held here: everybody begins with one. */
export interface BufferOwner {
  run: Pick<ResultFeed, 'dropOldest'> | null
}

/** Bounds what all runs keep together: the oldest result goes first, whosever it is. */
export class ResultBufferBudget {
  #queue: { readonly keeper: BufferOwner; readonly bytes: number }[] = []
  #first = 0
  #bytes = 0
  /** What is kept of them as they go over wires. */
  readonly frames = new FrameCache()

  constructor(private readonly most = RESULT_BUFFER_BYTES) {}

  /** A run has kept another result. */
  kept(keeper: BufferOwner, textBytes: number): void {
    const bytes = textBytes + OVERHEAD_BYTES
    this.#queue.push({ keeper, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.most) {
      const oldest = this.#queue[this.#first]!
      this.#first += 1
      this.#bytes -= oldest.bytes
      // One that has ended holds nothing more; what it held is counted until its turn comes.
      oldest.keeper.run?.dropOldest()
    }
    if (this.#first >= CUT) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
  }
}
