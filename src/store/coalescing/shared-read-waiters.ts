/**
 * Calls back requests that wait for a shared read. All requests for the same read share one reaction to its promise,
 * because a promise for each request took as long as the rest of its handling.
 */
export class SharedReadWaiters<Waiter> {
  #read: Promise<unknown> | null = null
  #waiters: Waiter[] = []

  /** Neither callback may throw. */
  constructor(
    private readonly onRead: (waiter: Waiter) => void,
    private readonly onError: (waiter: Waiter, error: unknown) => void,
  ) {}

  /** @param read - the result of `SharedRead.read()`, called after the waiter's request arrived */
  add(read: Promise<unknown>, waiter: Waiter): void {
    if (read !== this.#read) this.#await(read)
    this.#waiters.push(waiter)
  }

  #await(read: Promise<unknown>): void {
    const waiters: Waiter[] = []
    this.#read = read
    this.#waiters = waiters
    const settled = () => {
      if (this.#read === read) this.#read = null
    }
    read.then(
      () => {
        settled()
        for (const waiter of waiters) this.onRead(waiter)
      },
      (error: unknown) => {
        settled()
        for (const waiter of waiters) this.onError(waiter, error)
      },
    )
  }
}
