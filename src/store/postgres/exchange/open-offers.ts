import { type Offer, type ProposalAnswer, RecipientsGone } from '../../contract/exchange.js'

interface OpenOffer {
  readonly recipients: readonly string[]
  resolve(answer: ProposalAnswer): void
  reject(error: Error): void
}

/** The offers of this gateway that await an answer. */
export class OpenOffers {
  readonly #offers = new Map<string, OpenOffer>()

  /** `onEnd` is called when an offer no longer awaits an answer, for whatever reason. */
  constructor(private readonly onEnd: (id: string) => void) {}

  get size(): number {
    return this.#offers.size
  }

  /**
   * Sends an offer and resolves with its answer.
   * @throws RecipientsGone, the error of `send`, or the reason of `signal` when it aborts
   */
  open({ id, recipients }: Offer, signal: AbortSignal, send: () => Promise<void>): Promise<ProposalAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(reasonOf(signal))
      const abort = () => this.#offers.get(id)?.reject(reasonOf(signal))
      const end = () => {
        if (!this.#offers.delete(id)) return
        signal.removeEventListener('abort', abort)
        this.onEnd(id)
      }
      signal.addEventListener('abort', abort, { once: true })
      const offer: OpenOffer = {
        recipients,
        resolve(answer) {
          end()
          resolve(answer)
        },
        reject(error) {
          end()
          reject(error)
        },
      }
      this.#offers.set(id, offer)
      send().catch(offer.reject)
    })
  }

  answer(id: string, answer: ProposalAnswer): void {
    this.#offers.get(id)?.resolve(answer)
  }

  /** Fails the offers open now that have no recipient among those alive. */
  async failAbandoned(readAlive: () => Promise<ReadonlySet<string>>): Promise<void> {
    if (this.#offers.size === 0) return
    const offers = [...this.#offers.values()]
    const alive = await readAlive()
    for (const { recipients, reject } of offers) if (!recipients.some((id) => alive.has(id))) reject(recipientsGone())
  }

  failAll(error: Error): void {
    for (const { reject } of [...this.#offers.values()]) reject(error)
  }
}

export function recipientsGone(): RecipientsGone {
  return new RecipientsGone('its client has disconnected')
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the transaction no longer awaits an answer')
}
