/** Where many ask, looks begin so far apart: a look costs as much as answering one or two of them. */
const APART_MS = 1
/** From so many within that time on. Fewer are not made to wait for one another. */
const MANY = 4
/** How much the last look counts in how many ask. */
const WEIGHT = 0.2

/**
 * One look for all who ask for it before it begins; who asks while one is under way shares the next. So nobody is
 * given a look that began before they asked. It begins at the end of the turn in which the first asked: requests that
 * came over many sockets at one time are all read by then.
 */
export class ReadIndex<Seen> {
  #gathering: Promise<Seen> | null = null
  #running: Promise<unknown> = Promise.resolve()
  #asked = 0
  #began = 0
  /** Of late, in a millisecond. */
  #askedEach = 0

  constructor(private readonly read: () => Promise<Seen>) {}

  look(): Promise<Seen> {
    this.#asked += 1
    return (this.#gathering ??= this.#begin())
  }

  async #begin(): Promise<Seen> {
    await this.#running
    const left = this.#began + APART_MS - performance.now()
    if (left > 0 && this.#askedEach * APART_MS >= MANY) await new Promise((resolve) => setTimeout(resolve, left))
    else await new Promise((resolve) => setImmediate(resolve))
    this.#gathering = null
    this.#count()
    const seen = this.read()
    this.#running = seen.catch(() => undefined)
    return seen
  }

  #count(): void {
    const now = performance.now()
    this.#askedEach += WEIGHT * (this.#asked / Math.max(now - this.#began, 0.01) - this.#askedEach)
    this.#began = now
    this.#asked = 0
  }
}
