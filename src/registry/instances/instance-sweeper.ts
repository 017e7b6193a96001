import type { Instances } from '../../store/contract/instances.js'

/**
 * @bound Longest interval between sweeps for expired instances while any is live. The store's clock may jump, and
 * another gateway may die.
 */
const LONGEST_WAIT_MS = 30_000
/** Many expire one after the other: they go together. */
const SHORTEST_WAIT_MS = 500

/**
 * Removes what has expired, when the next is due and not before; where nothing lives, nothing is asked. Reads leave out
 * what has expired by themselves, so nobody waits for this, and any number of gateways may do it.
 */
export class InstanceSweeper {
  #timer: NodeJS.Timeout | null = null
  /** On the monotonic clock. */
  #due = Infinity
  #running: Promise<void> | null = null
  #closed = false
  readonly #stop: () => void

  constructor(private readonly instances: Instances) {
    // Some gateway has acquired or renewed one: should it die, somebody else has to be there.
    this.#stop = instances.onChange(() => this.within(LONGEST_WAIT_MS))
    this.within(0)
  }

  /** Looks not later than in so many milliseconds. */
  within(ms: number): void {
    const due = performance.now() + Math.min(Math.max(ms, 0), LONGEST_WAIT_MS)
    if (this.#closed || due >= this.#due) return
    this.#due = due
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), due - performance.now())
    this.#timer.unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stop()
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#running
  }

  #look(): void {
    this.#timer = null
    this.#due = Infinity
    if (this.#running !== null) return this.within(SHORTEST_WAIT_MS)
    this.#running = this.instances
      .sweep()
      .then(
        (ms) => {
          if (ms !== null) this.within(Math.max(ms, SHORTEST_WAIT_MS))
        },
        // The store is away; what was to go then goes later.
        () => this.within(LONGEST_WAIT_MS),
      )
      .finally(() => {
        this.#running = null
      })
  }
}
