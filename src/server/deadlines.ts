interface Waiting {
  readonly until: number
  late(): void
}

/** Deadlines of one length. They pass in the order in which they began, so that one timer is enough for all. */
export class Deadlines {
  readonly #waiting = new Set<Waiting>()
  #timer: NodeJS.Timeout | null = null

  constructor(private readonly ms: number) {}

  /** Calls `late` when the time has passed, unless what is returned is called before. */
  begin(late: () => void): () => void {
    const waiting = { until: performance.now() + this.ms, late }
    this.#waiting.add(waiting)
    if (this.#timer === null) this.#wait(this.ms)
    return () => this.#waiting.delete(waiting)
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms)
    // It stays when nothing waits any more, and must not keep the process.
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = null
    const now = performance.now()
    for (const waiting of this.#waiting) {
      if (waiting.until > now) return this.#wait(Math.ceil(waiting.until - now))
      this.#waiting.delete(waiting)
      waiting.late()
    }
  }
}
