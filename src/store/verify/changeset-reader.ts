import type { StoredHistory } from './stored-history.js'

/** @bound Changesets that are in memory at a time while a history is verified. */
const CHANGESETS_AT_ONCE = 200

/** Reads changesets ahead, in the order in which the caller will read them. */
export class ChangesetReader {
  #ahead = new Map<number, Uint8Array>()
  #next = 0

  constructor(
    readonly order: readonly number[],
    readonly stored: StoredHistory,
  ) {}

  async read(number: number): Promise<Uint8Array | undefined> {
    if (!this.#ahead.has(number) && this.#next < this.order.length) {
      const wanted = this.order.slice(this.#next, this.#next + CHANGESETS_AT_ONCE)
      this.#next += wanted.length
      for (const [found, bytes] of await this.stored.changesets(wanted)) this.#ahead.set(found, bytes)
    }
    const bytes = this.#ahead.get(number)
    this.#ahead.delete(number)
    return bytes
  }
}
