/**
 * One look for all who ask for it before it begins; who asks while one is under way shares the next. So nobody is
 * given a look that began before they asked. It begins at the end of the turn in which the first asked: requests that
 * came over many sockets at one time are all read by then.
 */
export class GatheredLook<Seen> {
  #gathering: Promise<Seen> | null = null
  #running: Promise<unknown> = Promise.resolve()

  constructor(private readonly read: () => Promise<Seen>) {}

  look(): Promise<Seen> {
    return (this.#gathering ??= this.#begin())
  }

  async #begin(): Promise<Seen> {
    await this.#running
    await new Promise((resolve) => setImmediate(resolve))
    this.#gathering = null
    const seen = this.read()
    this.#running = seen.catch(() => undefined)
    return seen
  }
}
