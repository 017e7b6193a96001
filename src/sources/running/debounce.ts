/** @bound Quiet time after the last change before a source is scanned. It turns a burst into one changeset. */
const QUIET_MS = 500
/** @bound Longest delay before a source that keeps changing is scanned. */
const LONGEST_MS = 5_000

/** Says when it is time to look: a while after the last call of a burst, or at once. */
export class Debounce {
  #first: number | undefined
  #last = 0
  #isUrgent = false
  #wake: () => void = () => {}

  /** Something may have changed. */
  touch(): void {
    this.#last = performance.now()
    this.#first ??= this.#last
    this.#wake()
  }

  /** Somebody waits for it. */
  hurry(): void {
    this.#isUrgent = true
    this.#wake()
  }

  /** What has been called until now counts for the look that is about to begin. */
  calm(): void {
    this.#first = undefined
    this.#isUrgent = false
  }

  /** Resolves when it is time, or when the signal aborts; what is called from now on counts for the next time. */
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
    this.calm()
  }

  #wait(): number {
    if (this.#isUrgent) return 0
    if (this.#first === undefined) return Infinity
    return Math.min(this.#last + QUIET_MS, this.#first + LONGEST_MS) - performance.now()
  }
}
