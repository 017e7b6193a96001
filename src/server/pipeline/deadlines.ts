interface Deadline {
  readonly until: number
  /** Null once the deadline has expired or was cancelled. */
  onLate: (() => void) | null
  previous: Deadline | null
  next: Deadline | null
}

/**
 * Deadlines of the same duration. They expire in the order in which they began, so one timer serves all.
 *
 * They form a linked list, not a `Set`. The old tables of a growing and shrinking Set point to their successors with all
 * they held, so no request's memory was freed before the next full garbage collection.
 */
export class Deadlines {
  #first: Deadline | null = null
  #last: Deadline | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(private readonly ms: number) {}

  /** Calls `onLate` after the duration. Returns a function that cancels the deadline. */
  begin(onLate: () => void): () => void {
    const deadline: Deadline = { until: performance.now() + this.ms, onLate, previous: this.#last, next: null }
    if (this.#last === null) this.#first = deadline
    else this.#last.next = deadline
    this.#last = deadline
    if (this.#timer === null) this.#startTimer(this.ms)
    return () => this.#remove(deadline)
  }

  #remove(deadline: Deadline): void {
    if (deadline.onLate === null) return
    const { previous, next } = deadline
    if (previous === null) this.#first = next
    else previous.next = next
    if (next === null) this.#last = previous
    else next.previous = previous
    deadline.onLate = deadline.previous = deadline.next = null
  }

  #startTimer(ms: number): void {
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, ms))
    // The timer outlives cancelled deadlines and must not keep the process alive.
    this.#timer.unref()
  }

  #expire(): void {
    this.#timer = null
    const now = performance.now()
    for (let deadline = this.#first; deadline !== null; deadline = this.#first) {
      if (deadline.until > now) return this.#startTimer(Math.ceil(deadline.until - now))
      const { onLate } = deadline
      this.#remove(deadline)
      onLate!()
    }
  }
}
