/**
 * A read that many callers share, none of whom is given one that began before they asked: who comes while one is
 * under way shares the next.
 */
export class SharedRead<Seen> {
  #running: Promise<Seen> | null = null
  #next: Promise<Seen> | null = null

  constructor(private readonly query: () => Promise<Seen>) {}

  read(): Promise<Seen> {
    if (this.#running === null) return this.#begin()
    return (this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    ))
  }

  #begin(): Promise<Seen> {
    this.#next = null
    const running = this.query().finally(() => {
      if (this.#running === running) this.#running = null
    })
    this.#running = running
    return running
  }
}
