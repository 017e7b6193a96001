import { RegistryError } from '../../core/errors/registry-error.js'

/** Bounds of a queue and of its batches. A single request may be larger than a batch and is then sent alone. */
export interface BatchLimits {
  /** Requests in one batch. */
  readonly requests: number
  /** Items in one batch. The items are operations or ids, depending on the requests. */
  readonly items: number
  /** Size of one batch, in bytes. */
  readonly bytes: number
  /** Requests that wait for a batch. Further ones are refused. */
  readonly waitingRequests: number
  /** Size of the requests that wait for a batch, in bytes. Further ones are refused. */
  readonly waitingBytes: number
  /** Longest time that a request waits for a batch, in milliseconds. It is refused after that. */
  readonly waitMs: number
}

/** A request that waits for a batch or is in one. */
export interface PendingRequest<Request, Result> {
  readonly request: Request
  readonly items: number
  readonly bytes: number
  /** When it arrived, by `performance.now()`. */
  readonly since: number
  readonly onResult: (result: Result) => void
  readonly onError: (error: unknown) => void
}

export interface BatchQueueOptions<Request, Result> {
  /**
   * Sends a batch and calls `onResult`, `onError` or `retry` for each request. A request that is retried joins a later
   * batch.
   * If `send` rejects, all requests of the batch fail with that error.
   */
  readonly send: (
    batch: readonly PendingRequest<Request, Result>[],
    retry: (pending: PendingRequest<Request, Result>) => void,
  ) => Promise<void>
  readonly limits: BatchLimits
  /** Begins the message of a refusal: "Nothing was committed". */
  readonly refusal: string
  /** Requests with the same key never share a batch. */
  readonly keyOf?: (request: Request) => string
  /** Whether another batch may start. By default, one batch is in flight at a time. */
  readonly mayStart?: (inFlight: { readonly batches: number; readonly requests: number }, waiting: number) => boolean
  /**
   * Calls `start` once all requests that belong together have arrived: in the same task by default, or at the end of
   * the tick.
   */
  readonly schedule?: (start: () => void) => void
}

/** Pause in milliseconds after a batch in which every request has to be sent again. */
const RETRY_PAUSE_MS = 10

const oneBatchAtATime = ({ batches }: { readonly batches: number }) => batches === 0

/**
 * Coalesces different requests by the policy "batch up to a limit". Requests that arrive while a batch is in flight
 * form the next one, in the order of their arrival. A lone request waits for nothing.
 *
 *   requests     a         b  c  d        e
 *   batches      [ a ····· ][ b, c, d ···· ][ e ··· ]
 *
 * A batch is sent after all its requests have arrived, so a read in it is as new as each of them requires.
 */
export class BatchQueue<Request, Result> {
  #waiting: PendingRequest<Request, Result>[] = []
  #waitingBytes = 0
  readonly #inFlight = { batches: 0, requests: 0 }
  #isScheduled = false
  #isClosed = false
  #onIdle: (() => void)[] = []

  constructor(private readonly options: BatchQueueOptions<Request, Result>) {}

  /**
   * Adds a request without a promise of its own. Neither callback may throw.
   * `onError` receives a RegistryError UNAVAILABLE if the request was not sent, or the error of its batch.
   */
  add(
    request: Request,
    items: number,
    bytes: number,
    onResult: (result: Result) => void,
    onError: (error: unknown) => void,
  ): void {
    const { waitingRequests, waitingBytes, waitMs } = this.options.limits
    if (this.#isClosed) return onError(this.#refused('the gateway is stopping'))
    if (this.#waiting.length >= waitingRequests || this.#waitingBytes + bytes > waitingBytes)
      return onError(this.#refused('too many requests are waiting'))
    const since = waitMs === Infinity ? 0 : performance.now()
    this.#waiting.push({ request, items, bytes, since, onResult, onError })
    this.#waitingBytes += bytes
    this.#schedule()
  }

  /** @throws RegistryError UNAVAILABLE if the request was not sent, or the error of its batch */
  request(request: Request, items = 1, bytes = 0): Promise<Result> {
    return new Promise((resolve, reject) => this.add(request, items, bytes, resolve, reject))
  }

  /** Refuses further requests and resolves when all waiting ones are settled. */
  close(): Promise<void> {
    this.#isClosed = true
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  get #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.batches === 0
  }

  get #mayStart(): boolean {
    const { mayStart = oneBatchAtATime } = this.options
    return this.#waiting.length > 0 && mayStart(this.#inFlight, this.#waiting.length)
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#mayStart) return
    this.#isScheduled = true
    const { schedule = queueMicrotask } = this.options
    schedule(() => {
      this.#isScheduled = false
      while (this.#mayStart) {
        const batch = this.#takeBatch()
        if (batch.length > 0) void this.#send(batch)
      }
      this.#notifyIdle()
    })
  }

  #takeBatch(): PendingRequest<Request, Result>[] {
    const { limits, keyOf } = this.options
    const batch: PendingRequest<Request, Result>[] = []
    const expired: PendingRequest<Request, Result>[] = []
    const skipped: PendingRequest<Request, Result>[] = []
    const keys = new Set<string>()
    const now = performance.now()
    let items = 0
    let bytes = 0
    let passed = 0
    for (const pending of this.#waiting) {
      const fits =
        batch.length < limits.requests && items + pending.items <= limits.items && bytes + pending.bytes <= limits.bytes
      if (batch.length > 0 && !fits) break
      passed += 1
      if (now - pending.since > limits.waitMs) {
        expired.push(pending)
        continue
      }
      const key = keyOf?.(pending.request)
      if (key !== undefined && keys.has(key)) {
        skipped.push(pending)
        continue
      }
      if (key !== undefined) keys.add(key)
      batch.push(pending)
      items += pending.items
      bytes += pending.bytes
    }
    const rest = this.#waiting.slice(passed)
    this.#waiting = skipped.length === 0 ? rest : [...skipped, ...rest]
    this.#waitingBytes -= bytes
    for (const { bytes, onError } of expired) {
      this.#waitingBytes -= bytes
      onError(this.#refused(`the request waited longer than ${limits.waitMs / 1_000} seconds`))
    }
    return batch
  }

  /** Never rejects: each request of the batch is settled or waits again. */
  async #send(batch: readonly PendingRequest<Request, Result>[]): Promise<void> {
    this.#inFlight.batches += 1
    this.#inFlight.requests += batch.length
    try {
      const retries: PendingRequest<Request, Result>[] = []
      await this.options.send(batch, (pending) => retries.push(pending))
      if (retries.length === batch.length) await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
      for (const pending of retries) {
        this.#waiting.push(pending)
        this.#waitingBytes += pending.bytes
      }
    } catch (error) {
      for (const { onError } of batch) onError(error)
    }
    this.#inFlight.batches -= 1
    this.#inFlight.requests -= batch.length
    this.#schedule()
    this.#notifyIdle()
  }

  #notifyIdle(): void {
    if (this.#isIdle) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  #refused(why: string): RegistryError {
    return new RegistryError('UNAVAILABLE', `${this.options.refusal}: ${why}. Try again.`)
  }
}
