import type { Instances } from '../../store/contract/instances.js'

/**
 * @bound Longest interval between sweeps for expired instances while any is live. The store's clock may jump, and
 * another gateway may die.
 */
const LONGEST_WAIT_MS = 30_000
/** Instances often expire shortly after each other, so one sweep removes them together. */
const SHORTEST_WAIT_MS = 500

/**
 * Removes expired instances when the next one is due. While none is live it makes no query. Reads omit expired instances by
 * themselves, so nothing waits for a sweep, and any number of gateways may sweep.
 */
export class InstanceSweeper {
  #timer: NodeJS.Timeout | null = null
  /** When the next sweep is due, by `performance.now()`. */
  #due = Infinity
  #running: Promise<void> | null = null
  #closed = false
  readonly #stop: () => void

  constructor(private readonly instances: Instances) {
    // Another gateway acquired or renewed an instance. If that gateway dies, this one has to sweep.
    this.#stop = instances.onChange(() => this.within(LONGEST_WAIT_MS))
    this.within(0)
  }

  /** Schedules a sweep within `ms` milliseconds. */
  within(ms: number): void {
    const due = performance.now() + Math.min(Math.max(ms, 0), LONGEST_WAIT_MS)
    if (this.#closed || due >= this.#due) return
    this.#due = due
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#sweep(), Math.max(0, due - performance.now()))
    this.#timer.unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stop()
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#running
  }

  #sweep(): void {
    this.#timer = null
    this.#due = Infinity
    if (this.#running !== null) return this.within(SHORTEST_WAIT_MS)
    this.#running = this.instances
      .sweep()
      .then(
        (ms) => {
          if (ms !== null) this.within(Math.max(ms, SHORTEST_WAIT_MS))
        },
        // The store is unavailable: sweep later.
        () => this.within(LONGEST_WAIT_MS),
      )
      .finally(() => {
        this.#running = null
      })
  }
}
