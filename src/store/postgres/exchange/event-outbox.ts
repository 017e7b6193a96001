import type { BusEvent } from '../../../core/events/bus-event.js'
import { encodeEvent, eventBytes } from '../../planning/event-codec.js'
import type { MailboxMessage } from './exchange-sql.js'

const BATCH_EVENTS = 500
const BATCH_BYTES = 1024 * 1024
/**
 * @bound Events that wait to be sent to other gateways. Further ones are dropped, and receivers are notified of the
 * gap.
 */
const WAITING_EVENTS = 10_000
const WAITING_BYTES = 16 * 1024 * 1024

/**
 * Events on their way to other gateways. Each has a number that grows by one, so that whoever is given one with a gap
 * before it knows how many are missing, whatever became of them.
 */
export class EventOutbox {
  #waiting: { readonly letter: MailboxMessage; readonly bytes: number }[] = []
  #bytes = 0
  #number = 0
  #sending = false

  /** `send` says whether anybody is there to hear; where nobody is, what waits is dropped. */
  constructor(
    private readonly origin: string,
    private readonly send: (letters: readonly MailboxMessage[]) => Promise<boolean>,
  ) {}

  push(event: BusEvent): void {
    this.#number += 1
    const bytes = eventBytes(event)
    if (this.#waiting.length >= WAITING_EVENTS || (this.#waiting.length > 0 && this.#bytes + bytes > WAITING_BYTES))
      return
    this.#waiting.push({
      letter: { header: JSON.stringify({ from: this.origin, n: this.#number }), body: encodeEvent(event) },
      bytes,
    })
    this.#bytes += bytes
    if (!this.#sending) void this.#flush()
  }

  async #flush(): Promise<void> {
    this.#sending = true
    // What is published in one turn goes together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      // The store is away: these are missed, and the next numbers tell.
      const heard = await this.send(batch).catch(() => true)
      if (!heard) this.#clear()
    }
    this.#sending = false
  }

  #take(): MailboxMessage[] {
    let bytes = 0
    let count = 0
    for (const { bytes: size } of this.#waiting) {
      if (count > 0 && (count >= BATCH_EVENTS || bytes + size > BATCH_BYTES)) break
      bytes += size
      count += 1
    }
    this.#bytes -= bytes
    return this.#waiting.splice(0, count).map(({ letter }) => letter)
  }

  #clear(): void {
    this.#waiting = []
    this.#bytes = 0
  }
}
