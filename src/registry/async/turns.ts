/** Lets callers run one after another, in the order in which they came. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is the caller's turn. Call what it resolves to at the end of the turn, even if nobody waited for it. */
  take(): Promise<() => void> {
    const before = this.#last
    let end = () => {}
    const mine = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#last = before.then(() => mine)
    return before.then(() => end)
  }
}
