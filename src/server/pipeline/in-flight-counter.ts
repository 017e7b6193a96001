/**
 * Counts operations in flight, so that a stopping gateway can wait for them. It is a number, not a set of promises: a set
 * that changes with each request kept its old elements alive until the next full garbage collection.
 */
export class InFlightCounter {
  #count = 0
  #begun = 0
  #ended: Promise<void> | null = null
  #end: () => void = () => undefined

  get count(): number {
    return this.#count
  }

  /** Number of operations that have ever begun. */
  get begun(): number {
    return this.#begun
  }

  begin(): void {
    this.#count += 1
    this.#begun += 1
  }

  /** Called once for each `begin`. */
  end(): void {
    this.#count -= 1
    if (this.#count > 0) return
    this.#end()
    this.#ended = null
  }

  /** Resolves as soon as nothing is in flight. */
  ended(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return (this.#ended ??= new Promise((resolve) => {
      this.#end = resolve
    }))
  }
}
