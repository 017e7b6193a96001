/** A lock in this process. Callers get it one after another, in the order in which they came. */
export class Mutex {
  #last: Promise<void> = Promise.resolve()

  /** Resolves to a function that unlocks. Call it at the end, even if nobody waited for the lock. */
  lock(): Promise<() => void> {
    const before = this.#last
    let unlock = () => {}
    const mine = new Promise<void>((resolve) => {
      unlock = resolve
    })
    this.#last = before.then(() => mine)
    return before.then(() => unlock)
  }
}
