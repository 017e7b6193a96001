/**
 * Waits for looks on behalf of many: all who come while the same look is to be had share one promise of it, since a promise for each took as
 * long as all else that is done for them. `seen` and `failed` may not throw.
 */
export class ReadIndexWaiters<Waiting> {
  #look: Promise<unknown> | null = null
  #waiting: Waiting[] = []

  constructor(
    private readonly seen: (waiting: Waiting) => void,
    private readonly failed: (waiting: Waiting, error: unknown) => void,
  ) {}

  /** @param look - One that began, or is yet to begin, after this one came */
  add(look: Promise<unknown>, waiting: Waiting): void {
    if (look !== this.#look) this.#begin(look)
    this.#waiting.push(waiting)
  }

  #begin(look: Promise<unknown>): void {
    const waiting: Waiting[] = []
    this.#look = look
    this.#waiting = waiting
    const ended = () => {
      if (this.#look === look) this.#look = null
    }
    look.then(
      () => {
        ended()
        for (const each of waiting) this.seen(each)
      },
      (error: unknown) => {
        ended()
        for (const each of waiting) this.failed(each, error)
      },
    )
  }
}
