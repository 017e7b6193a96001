/** Counts what is under way and is waited for when the gateway stops: one promise for all of it, however much it is. */
export class UnderWay {
  #count = 0
  #ended: () => void = () => undefined

  /** @param running - Holds a promise for as long as something is under way */
  constructor(private readonly running: Set<Promise<unknown>>) {}

  begin(): void {
    this.#count += 1
    if (this.#count > 1) return
    const all = new Promise<void>((resolve) => {
      this.#ended = () => {
        this.running.delete(all)
        resolve()
      }
    })
    this.running.add(all)
  }

  end(): void {
    this.#count -= 1
    if (this.#count === 0) this.#ended()
  }
}
