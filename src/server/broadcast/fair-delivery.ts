/** @bound Time slice for handing results to sockets before the event loop continues. */
const SLICE_MS = 10
/** Reading the clock costs a tenth of handing over a result. */
const STEPS_PER_CLOCK = 8

/** A subscriber that waits for its time slice. */
export interface QueuedRecipient {
  takeSlice(): void
}

/**
 * Divides the time of the event loop between subscribers. Without it, a thousand reconnecting clients would receive
 * hundreds of megabytes in one tick, because a socket that accepts everything requests more at once. Meanwhile no other
 * message would be read, and connecting clients would time out.
 */
export class FairDelivery {
  #queue: QueuedRecipient[] = []
  /** When the current time slice began; null between slices. */
  #since: number | null = null
  #steps = 0

  constructor(
    private readonly sliceMs = SLICE_MS,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether the caller may send at once. If not, it calls `enqueue`. */
  maySend(): boolean {
    if (this.#queue.length > 0) return false
    if (this.#since === null) this.#begin()
    return !this.#isOver()
  }

  /** Calls `takeSlice` after all recipients that are queued already. */
  enqueue(recipient: QueuedRecipient): void {
    if (this.#since === null) this.#begin()
    this.#queue.push(recipient)
  }

  #begin(): void {
    this.#since = this.now()
    this.#steps = 0
    setImmediate(this.#runSlice)
  }

  readonly #runSlice = (): void => {
    this.#since = null
    if (this.#queue.length === 0) return
    this.#begin()
    let next = 0
    // At least one recipient runs, however short the slice is. Recipients that are queued meanwhile come last.
    do this.#queue[next++]!.takeSlice()
    while (next < this.#queue.length && !this.#isOver())
    this.#queue = this.#queue.slice(next)
  }

  #isOver(): boolean {
    return ++this.#steps % STEPS_PER_CLOCK === 0 && this.now() - this.#since! >= this.sliceMs
  }
}
