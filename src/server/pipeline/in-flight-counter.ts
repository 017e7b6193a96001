/**
 * Counts what is under way, for who waits until it has ended. A number and no set of promises: one to which something is added with each request, and
 * taken away again, keeps what it held from being freed before the next full collection.
 */
export class InFlightCounter {
  #count = 0
  #ended: Promise<void> | null = null
  #end: () => void = () => undefined

  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count += 1
  }

  /** Called once for each `begin`. */
  end(): void {
    this.#count -= 1
    if (this.#count > 0) return
    this.#end()
    this.#ended = null
  }

  /** Resolves when nothing is under way, now or for the first time. */
  ended(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return (this.#ended ??= new Promise((resolve) => {
      this.#end = resolve
    }))
  }
}
