import type { Recipient } from '../../contract/exchange.js'

/** Of a message to participations. */
export interface RecipientAddress {
  readonly to: readonly string[]
  /** Of this message: it may be sent twice where a connection broke. */
  readonly id: string
}

/** How many messages are remembered so as to know one that comes a second time; it would come at once. */
const REMEMBERED = 1_000

/** The participations whose clients hang on this gateway. */
export class LocalRecipients {
  readonly #seats = new Map<string, Recipient>()
  readonly #delivered = new Set<string>()

  get size(): number {
    return this.#seats.size
  }

  add(id: string, seat: Recipient): void {
    this.#seats.set(id, seat)
  }

  remove(id: string): void {
    this.#seats.delete(id)
  }

  deliver({ to, id }: RecipientAddress, body: string): void {
    if (this.#delivered.has(id)) return
    this.#delivered.add(id)
    if (this.#delivered.size > REMEMBERED) this.#delivered.delete(this.#delivered.values().next().value!)
    for (const recipient of to) this.#seats.get(recipient)?.receive(body)
  }

  lose(error: Error): void {
    const lost = [...this.#seats.values()]
    this.#seats.clear()
    for (const seat of lost) seat.lost(error)
  }
}
