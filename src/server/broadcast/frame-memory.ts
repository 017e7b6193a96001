import type { ResultBatch } from './result-batch.js'

/** @bound Size of the frames that are cached for subscribers who reach the same position next, over all feeds. */
const FRAMES_BYTES = 4 * 1024 * 1024
/** Bookkeeping of one stretch, beside its frames. */
const OVERHEAD_BYTES = 200
/** What is forgotten is cut off the queue this many at a time. */
const CUT = 1_024

/** Bounds what is kept of frames: those made first go first. */
export class FrameCache {
  #queue: { readonly stretch: ResultBatch; readonly bytes: number }[] = []
  #first = 0
  #bytes = 0

  constructor(private readonly most = FRAMES_BYTES) {}

  /** So many bytes have been written of a stretch that had none. */
  made(stretch: ResultBatch, frameBytes: number): void {
    const bytes = frameBytes + OVERHEAD_BYTES
    this.#queue.push({ stretch, bytes })
    this.#bytes += bytes
    // The newest stays, however long: everybody who waits is to be sent it.
    while (this.#bytes > this.most && this.#first < this.#queue.length - 1) {
      const oldest = this.#queue[this.#first]!
      this.#first += 1
      this.#bytes -= oldest.bytes
      oldest.stretch.forget()
    }
    if (this.#first >= CUT) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
  }
}
