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
  readonly recipients: readonly string[]
  readonly until: number
  answer(answer: ProposalAnswer): void
  fail(error: Error): void
}

/** The exchange of a registry that lives in one process: messages are calls. */
export function openMemoryExchange(): Exchange {
  const seats = new Map<string, { readonly participation: Participation; readonly seat: Recipient }>()
  const listeners = new Set<BusListener>()
  const offers = new Map<string, OpenOffer>()

  function hand({ recipients, body }: ParticipationMessage): void {
    const there = recipients.flatMap((id) => seats.get(id)?.seat ?? [])
    if (there.length === 0) throw gone()
    for (const seat of there) seat.receive(body)
  }

  return {
    participations: async () => [...seats.values()].map(({ participation }) => participation),
    seemsWithoutParticipants: () => seats.size === 0,
    async takePart(who, seat) {
      const id = randomUUID()
      seats.set(id, { participation: { id, ...who }, seat })
      return async () => {
        seats.delete(id)
        for (const { recipients, fail } of offers.values())
          if (!recipients.some((each) => seats.has(each))) fail(gone())
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
        const abort = () => fail(signal.reason instanceof Error ? signal.reason : new Error('nobody waits any more'))
        if (signal.aborted) return abort()
        signal.addEventListener('abort', abort, { once: true })
        const answer = (given: ProposalAnswer) => {
          settle()
          resolve(given)
        }
        offers.set(offer.id, { recipients: offer.recipients, until: performance.now() + offer.withinMs, answer, fail })
        try {
          hand(offer)
        } catch (error) {
          fail(error as Error)
        }
      }),
    async notify(post) {
      hand(post)
    },
    async answer(proposal, answer) {
      const offer = offers.get(proposal)
      if (offer === undefined || performance.now() > offer.until) return false
      offer.answer(answer)
      return true
    },
    isHeard: () => listeners.size > 0,
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
      seats.clear()
    },
  }
}

function gone(): RecipientsGone {
  return new RecipientsGone('its client has gone')
}
