/**
 * Shortest time between the starts of two reads while many requests arrive. A read costs as much as answering one or
 * two of them.
 */
const SPACING_MS = 1
/** Reads are spaced only from this many requests per millisecond. */
const MANY_REQUESTS = 4
/** Weight of the latest interval in the request rate. */
const RATE_WEIGHT = 0.2

const noop = () => {}

/**
 * Coalesces requests for the same read by the policy "join the next read". One read is in flight at a time, and a request
 * shares the read that starts next. So no request receives a read that started before the request arrived.
 *
 *   requests     a   b           c   d
 *                └─┬─┘           └─┬─┘
 *   reads          [ a, b ········ ][ c, d ······ ]
 *
 * A read starts at the end of the event-loop tick of its first request. By then all requests that arrived together are known.
 */
export class SharedRead<Result> {
  #next: Promise<Result> | null = null
  #inFlight: Promise<void> | null = null
  #requests = 0
  #startedAt = 0
  /** Recent requests per millisecond. */
  #rate = 0

  constructor(private readonly query: () => Promise<Result>) {}

  /** Returns the result of a read that starts after this call. Rejects with the error of that read. */
  read(): Promise<Result> {
    this.#requests += 1
    return (this.#next ??= this.#start())
  }

  async #start(): Promise<Result> {
    if (this.#inFlight !== null) await this.#inFlight
    const spacing = this.#startedAt + SPACING_MS - performance.now()
    if (spacing > 0 && this.#rate >= MANY_REQUESTS) await new Promise((resolve) => setTimeout(resolve, spacing))
    else await new Promise((resolve) => setImmediate(resolve))
    this.#next = null
    this.#measureRate()
    const result = this.query()
    this.#inFlight = result.then(noop, noop)
    return result
  }

  #measureRate(): void {
    const now = performance.now()
    this.#rate += RATE_WEIGHT * (this.#requests / Math.max(now - this.#startedAt, 0.01) - this.#rate)
    this.#startedAt = now
    this.#requests = 0
  }
}
