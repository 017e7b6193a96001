import type { BusEvent } from '../../../core/events/bus-event.js'
import { encodeEvent, eventBytes } from '../../planning/event-codec.js'
import type { MailboxMessage } from './mailbox-queries.js'

/** @bound Events that are sent to other gateways in one statement. */
const BATCH_EVENTS = 500
/** @bound Size of the events that are sent to other gateways in one statement, unless one is larger. */
const BATCH_BYTES = 1024 * 1024
/**
 * @bound Events that wait to be sent to other gateways. Further ones are dropped, and receivers are notified of the
 * gap.
 */
const WAITING_EVENTS = 10_000
/** @bound Size of the events that wait to be sent to other gateways. Further ones are missed. */
const WAITING_BYTES = 16 * 1024 * 1024

/**
 * Sends events to other gateways, in batches. Each event has a number that grows by one. A receiver that sees a gap in
 * the numbers knows how many events it missed, whatever the reason.
 */
export class EventOutbox {
  #waiting: { readonly message: MailboxMessage; readonly bytes: number }[] = []
  #bytes = 0
  #number = 0
  #sending = false

  /** `send` returns whether any gateway listens. If none does, the waiting events are dropped. */
  constructor(
    private readonly origin: string,
    private readonly send: (messages: readonly MailboxMessage[]) => Promise<boolean>,
  ) {}

  push(event: BusEvent): void {
    this.#number += 1
    const bytes = eventBytes(event)
    if (this.#waiting.length >= WAITING_EVENTS || (this.#waiting.length > 0 && this.#bytes + bytes > WAITING_BYTES))
      return
    this.#waiting.push({
      message: { header: JSON.stringify({ from: this.origin, n: this.#number }), body: encodeEvent(event) },
      bytes,
    })
    this.#bytes += bytes
    if (!this.#sending) void this.#flush()
  }

  async #flush(): Promise<void> {
    this.#sending = true
    // Events published in the same tick share a batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      // The store is unavailable. This batch is lost, and receivers see the gap in the numbers.
      const hasListeners = await this.send(batch).catch(() => true)
      if (!hasListeners) this.#clear()
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
    return this.#waiting.splice(0, count).map(({ message }) => message)
  }

  #clear(): void {
    this.#waiting = []
    this.#bytes = 0
  }
}
