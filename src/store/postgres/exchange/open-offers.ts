import { type Offer, type Participation, type ProposalAnswer, RecipientsGone } from '../../contract/exchange.js'

interface OpenOffer {
  readonly offer: Offer
  recipients: readonly string[]
  resolve(answer: ProposalAnswer): void
  reject(error: Error): void
}

/** The exchange, as far as offers use it. */
export interface OffersContext {
  /** Sends a message, together with the proposal's row if it is an offer. @throws RecipientsGone */
  send(message: Pick<Offer, 'recipients' | 'body'>, offer: Offer | null): Promise<void>
  readAlive(): Promise<readonly Participation[]>
  /** Delivers all answers that have been given. */
  readAnswers(): Promise<unknown>
  /** Called when an offer no longer awaits an answer, for whatever reason. */
  ended(id: string): void
}

/** The offers of this gateway that await an answer. */
export class OpenOffers {
  readonly #offers = new Map<string, OpenOffer>()

  constructor(private readonly context: OffersContext) {}

  get size(): number {
    return this.#offers.size
  }

  /**
   * Sends an offer and resolves with its answer.
   * @throws RecipientsGone, the error of `send`, or the reason of `signal` when it aborts
   */
  open(offer: Offer, signal: AbortSignal): Promise<ProposalAnswer> {
    const { id, recipients } = offer
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(reasonOf(signal))
      const abort = () => this.#offers.get(id)?.reject(reasonOf(signal))
      const end = () => {
        if (!this.#offers.delete(id)) return
        signal.removeEventListener('abort', abort)
        this.context.ended(id)
      }
      signal.addEventListener('abort', abort, { once: true })
      const open: OpenOffer = {
        offer,
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
      this.#offers.set(id, open)
      void this.#send(open, [offer])
    })
  }

  answer(id: string, answer: ProposalAnswer): void {
    this.#offers.get(id)?.resolve(answer)
  }

  /** Passes the offers open now that have no recipient left to their replacements, or fails them. */
  async reassignAbandoned(): Promise<void> {
    if (this.#offers.size === 0) return
    const offers = [...this.#offers.values()]
    const alive = await this.context.readAlive()
    const ids = new Set(alive.map(({ id }) => id))
    const isAbandoned = ({ recipients }: OpenOffer) => !recipients.some((id) => ids.has(id))
    if (!offers.some(isAbandoned)) return
    // A client may have answered just before it left.
    await this.context.readAnswers()
    await Promise.all(
      offers
        .filter((open) => this.#offers.get(open.offer.id) === open && isAbandoned(open))
        .map((open) => {
          const messages = open.offer.reassign?.(alive) ?? []
          if (messages.length === 0) return open.reject(recipientsGone())
          open.recipients = messages.at(-1)!.recipients
          return this.#send(open, messages)
        }),
    )
  }

  failAll(error: Error): void {
    for (const { reject } of [...this.#offers.values()]) reject(error)
  }

  async #send(open: OpenOffer, messages: readonly Pick<Offer, 'recipients' | 'body'>[]): Promise<void> {
    const { offer } = open
    try {
      for (const message of messages) await this.context.send(message, message === messages.at(-1) ? offer : null)
    } catch (error) {
      if (!(error instanceof RecipientsGone)) return open.reject(error as Error)
      open.recipients = []
      // If the store is unavailable, the lease's next tick does this again.
      await this.reassignAbandoned().catch(() => {})
    }
  }
}

export function recipientsGone(): RecipientsGone {
  return new RecipientsGone('its client has disconnected')
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the transaction no longer awaits an answer')
}
