/** @bound Quiet time after the last change before a source is scanned. It turns a burst into one changeset. */
const QUIET_MS = 500
/** @bound Longest delay before a source that keeps changing is scanned. */
const LONGEST_MS = 5_000

/** Delays a scan until a burst of changes is over. */
export class Debounce {
  #first: number | undefined
  #last = 0
  #isUrgent = false
  #wake: () => void = () => {}

  /** Reports a possible change. */
  touch(): void {
    this.#last = performance.now()
    this.#first ??= this.#last
    this.#wake()
  }

  /** Makes the scan due at once, because a caller waits for it. */
  flush(): void {
    this.#isUrgent = true
    this.#wake()
  }

  /** Discards the changes so far, because the scan that starts now covers them. */
  reset(): void {
    this.#first = undefined
    this.#isUrgent = false
  }

  /** Resolves when a scan is due or the signal aborts. Later changes count for the next scan. */
  async due(signal: AbortSignal): Promise<void> {
    for (;;) {
      const wait = this.#wait()
      if (signal.aborted || wait <= 0) break
      await new Promise<void>((resolve) => {
        const end = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', end)
          resolve()
        }
        const timer = wait === Infinity ? undefined : setTimeout(end, wait)
        signal.addEventListener('abort', end)
        this.#wake = end
      })
    }
    this.reset()
  }

  #wait(): number {
    if (this.#isUrgent) return 0
    if (this.#first === undefined) return Infinity
    return Math.min(this.#last + QUIET_MS, this.#first + LONGEST_MS) - performance.now()
  }
}
