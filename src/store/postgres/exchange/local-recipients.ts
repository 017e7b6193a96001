import type { Recipient } from '../../contract/exchange.js'

/** The header of a message to participations. */
export interface RecipientAddress {
  readonly to: readonly string[]
  /** The id of the message itself. It may arrive twice if a connection breaks while it is sent. */
  readonly id: string
}

/** @bound Ids of delivered messages that are cached. A duplicate arrives soon, so a few are enough. */
const RECENT_MESSAGES = 1_000

/** The participations of clients that are connected to this gateway. */
export class LocalRecipients {
  readonly #recipients = new Map<string, Recipient>()
  readonly #delivered = new Set<string>()

  get size(): number {
    return this.#recipients.size
  }

  add(id: string, recipient: Recipient): void {
    this.#recipients.set(id, recipient)
  }

  remove(id: string): void {
    this.#recipients.delete(id)
  }

  /** Delivers a message once to each of its recipients that is connected here. */
  deliver({ to, id }: RecipientAddress, body: string): void {
    if (this.#delivered.has(id)) return
    this.#delivered.add(id)
    if (this.#delivered.size > RECENT_MESSAGES) this.#delivered.delete(this.#delivered.values().next().value!)
    for (const recipient of to) this.#recipients.get(recipient)?.receive(body)
  }

  /** Notifies every recipient that its participation has ended, and removes it. */
  loseAll(error: Error): void {
    const lost = [...this.#recipients.values()]
    this.#recipients.clear()
    for (const recipient of lost) recipient.lost(error)
  }
}
