import type { BusEvent } from '../../core/events/bus-event.js'

/*
 * What gateways on one database tell each other: who takes part in transactions, what participants are asked and
 * answer, and what happens on the bus. Messages here are for the living; the durable record is the log.
 *
 *   runs the transaction      holds the participant's client      anywhere
 *        offer ────────────────────▶ seat.proposal
 *          ▲                                                        answer
 *          └────────────────── the first one counts ◀────────────────┘
 */

/** One client that takes part. Those of one name are members of one participant. */
export interface Participation {
  /** A UUID, of this one registration. */
  readonly id: string
  readonly name: string
  /** Bus patterns of kinds of entry. */
  readonly kinds: readonly string[]
  readonly onFailure: 'refuse' | 'pass'
}

/** Where a participation's messages arrive, each once, those of one transaction in order. */
export interface Recipient {
  receive(body: string): void
  /** The participation has ended against its will: this gateway was thought dead. */
  lost(error: Error): void
}

/** A message to participations. */
export interface ParticipationMessage {
  readonly recipients: readonly string[]
  readonly body: string
}

export interface Offer extends ParticipationMessage {
  /** The proposal's id, by which it is answered; a UUID. */
  readonly id: string
  /** How long an answer counts. */
  readonly withinMs: number
}

export interface ProposalAnswer {
  readonly accept: boolean
  readonly reason: string | null
}

export interface BusListener {
  event(event: BusEvent): void
  /** So many events, of whatever kind, did not arrive. */
  missed(count: number): void
}

/** What happens, handed to who listens, on any gateway that shares the bus. */
export interface Bus {
  /** Whether anybody may be listening to the bus: as of the last `participations`, or newer. */
  isHeard(): boolean
  /** Hands an event to listeners here at once, and to other gateways' soon. Never waits, never throws. */
  publish(event: BusEvent): void
  /** Resolves when events of every gateway arrive. Call what is returned to listen no more. */
  listen(listener: BusListener): Promise<() => Promise<void>>
  close(): Promise<void>
}

export interface Exchange extends Bus {
  /** Everyone who takes part now, on any gateway: at least as new as the call. */
  participations(): Promise<readonly Participation[]>
  /** Nobody takes part, as far as is known without asking: another gateway may know better. Exact over memory. */
  seemsWithoutParticipants(): boolean
  /** Registers a client; resolves when every transaction that begins from now on asks it. Call what is returned when it goes. */
  takePart(participation: Omit<Participation, 'id'>, seat: Recipient): Promise<() => Promise<void>>
  /**
   * The first answer that any of the recipients gives, at whichever gateway.
   * @throws RecipientsGone as soon as none of them is there any more, and when `signal` aborts
   */
  offer(offer: Offer, signal: AbortSignal): Promise<ProposalAnswer>
  /** Resolves when the message is on its way and cannot be lost but with its recipients. @throws RecipientsGone */
  notify(post: ParticipationMessage): Promise<void>
  /** False where it came too late, was not the first, or there is no such proposal. */
  answer(proposal: string, answer: ProposalAnswer): Promise<boolean>
}

/** Nobody is there (any more) who could answer. */
export class RecipientsGone extends Error {
  override readonly name = 'RecipientsGone'
}
