interface Waiting {
  readonly until: number
  /** Null when it is not waited for any more. */
  late: (() => void) | null
  before: Waiting | null
  next: Waiting | null
}

/**
 * Deadlines of one length. They pass in the order in which they began, so that one timer is enough for all.
 *
 * A list whose links are cut, not a `Set`: the tables of a Set that grows and shrinks all the time point each to the next with what they held,
 * so that once the first is old nothing of any request since was freed before the next full collection.
 */
export class Deadlines {
  #first: Waiting | null = null
  #last: Waiting | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(private readonly ms: number) {}

  /** Calls `late` when the time has passed, unless what is returned is called before. */
  begin(late: () => void): () => void {
    const waiting: Waiting = { until: performance.now() + this.ms, late, before: this.#last, next: null }
    if (this.#last === null) this.#first = waiting
    else this.#last.next = waiting
    this.#last = waiting
    if (this.#timer === null) this.#wait(this.ms)
    return () => this.#end(waiting)
  }

  #end(waiting: Waiting): void {
    if (waiting.late === null) return
    const { before, next } = waiting
    if (before === null) this.#first = next
    else before.next = next
    if (next === null) this.#last = before
    else next.before = before
    waiting.late = waiting.before = waiting.next = null
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms)
    // It stays when nothing waits any more, and must not keep the process.
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = null
    const now = performance.now()
    for (let waiting = this.#first; waiting !== null; waiting = this.#first) {
      if (waiting.until > now) return this.#wait(Math.ceil(waiting.until - now))
      const { late } = waiting
      this.#end(waiting)
      late!()
    }
  }
}
