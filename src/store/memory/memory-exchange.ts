import { randomUUID } from 'node:crypto'
import {
  type BusListener,
  type Exchange,
  type Participation,
  type ParticipationMessage,
  type ProposalAnswer,
  type Recipient,
  RecipientsGone,
} from '../contract/exchange.js'

interface OpenOffer {
  recipients: readonly string[]
  readonly until: number
  /** Delivers the offer to another recipient, or fails. */
  abandon(): void
  answer(answer: ProposalAnswer): void
  fail(error: Error): void
}

/** Opens the exchange of a registry in one process, where messages are function calls. */
export function openMemoryExchange(): Exchange {
  const participants = new Map<string, { readonly participation: Participation; readonly recipient: Recipient }>()
  const listeners = new Set<BusListener>()
  const offers = new Map<string, OpenOffer>()

  function deliver({ recipients, body }: ParticipationMessage): void {
    const present = recipients.flatMap((id) => participants.get(id)?.recipient ?? [])
    if (present.length === 0) throw recipientsDisconnected()
    for (const recipient of present) recipient.receive(body)
  }

  const alive = () => [...participants.values()].map(({ participation }) => participation)

  return {
    participations: async () => alive(),
    seemsWithoutParticipants: () => participants.size === 0,
    async takePart(who, recipient) {
      const id = randomUUID()
      participants.set(id, { participation: { id, ...who }, recipient })
      return async () => {
        participants.delete(id)
        for (const { recipients, abandon } of [...offers.values()])
          if (!recipients.some((each) => participants.has(each))) abandon()
      }
    },
    offer: (offer, signal) =>
      new Promise((resolve, reject) => {
        const settle = () => {
          offers.delete(offer.id)
          signal.removeEventListener('abort', abort)
        }
        const fail = (error: Error) => {
          settle()
          reject(error)
        }
        const abort = () =>
          fail(signal.reason instanceof Error ? signal.reason : new Error('the transaction no longer awaits an answer'))
        if (signal.aborted) return abort()
        signal.addEventListener('abort', abort, { once: true })
        const answer = (given: ProposalAnswer) => {
          settle()
          resolve(given)
        }
        const abandon = () => {
          const messages = offer.reassign?.(alive()) ?? []
          if (messages.length === 0) return fail(recipientsDisconnected())
          open.recipients = messages.at(-1)!.recipients
          for (const message of messages) deliver(message)
        }
        const until = performance.now() + offer.withinMs
        const open: OpenOffer = { recipients: offer.recipients, until, abandon, answer, fail }
        offers.set(offer.id, open)
        try {
          deliver(offer)
        } catch {
          abandon()
        }
      }),
    async notify(message) {
      deliver(message)
    },
    async answer(proposal, answer) {
      const offer = offers.get(proposal)
      if (offer === undefined || performance.now() > offer.until) return false
      offer.answer(answer)
      return true
    },
    hasListeners: () => listeners.size > 0,
    publish(event) {
      for (const listener of [...listeners]) listener.event(event)
    },
    async listen(listener) {
      listeners.add(listener)
      return async () => void listeners.delete(listener)
    },
    async close() {
      for (const { fail } of [...offers.values()]) fail(new Error('the gateway is stopping'))
      listeners.clear()
      participants.clear()
    },
  }
}

function recipientsDisconnected(): RecipientsGone {
  return new RecipientsGone('its client has disconnected')
}
