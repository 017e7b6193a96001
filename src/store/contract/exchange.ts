import type { BusEvent } from '../../core/events/bus-event.js'

/*
 * The exchange carries messages between gateways on one database: participations of clients, proposals
 * with their answers, and events of the bus. Messages are not durable. The durable record is the log.
 *
 *   runs the transaction      holds the participant's client      any gateway
 *        offer ────────────────────▶ recipient.receive
 *          ▲                                                        answer
 *          └────────────────── the first one counts ◀────────────────┘
 */

/**
 * One client that participates in transactions. Clients of the same name are members of one participant: the one that
 * has participated longest is asked, the others stand by.
 */
export interface Participation {
  /** The UUID of this registration. */
  readonly id: string
  readonly name: string
  /** Bus patterns of kinds of entries. */
  readonly kinds: readonly string[]
  readonly onFailure: 'refuse' | 'pass'
}

/** Receives the messages of a participation, each once. The messages of one transaction arrive in order. */
export interface Recipient {
  receive(body: string): void
  /** The participation has ended because this gateway seemed dead. */
  lost(error: Error): void
}

/** A message to participations. `recipients` are ids of participations. */
export interface ParticipationMessage {
  readonly recipients: readonly string[]
  readonly body: string
}

export interface Offer extends ParticipationMessage {
  /** The proposal's id, a UUID, which answers contain. */
  readonly id: string
  /** Milliseconds for which an answer counts. */
  readonly withinMs: number
  /**
   * Called when no recipient is left, with all participations. Returns the messages to the one that replaces it, in order.
   * The last one is the offer. Null if no one does.
   */
  reassign?(alive: readonly Participation[]): readonly ParticipationMessage[] | null
}

export interface ProposalAnswer {
  readonly accept: boolean
  readonly reason: string | null
}

export interface BusListener {
  event(event: BusEvent): void
  /** Called if events did not arrive, with their number. */
  missed(count: number): void
}

/** Delivers events to listeners on every gateway that shares the bus. */
export interface Bus {
  /** Whether any gateway may have a listener, as of the last `participations` or later. */
  hasListeners(): boolean
  /** Delivers an event to listeners of this gateway at once and to others soon. Never waits, never throws. */
  publish(event: BusEvent): void
  /** Resolves when events of every gateway arrive. The returned function stops the listener. */
  listen(listener: BusListener): Promise<() => Promise<void>>
  close(): Promise<void>
}

export interface Exchange extends Bus {
  /** All participations on all gateways, as of the call or later. The oldest comes first. */
  participations(): Promise<readonly Participation[]>
  /** Whether no participant is known, without a query. Another gateway may have one. In memory the result is exact. */
  seemsWithoutParticipants(): boolean
  /**
   * Registers a client. Resolves when every transaction that begins from now on asks it. The returned function
   * unregisters it.
   */
  takePart(participation: Omit<Participation, 'id'>, recipient: Recipient): Promise<() => Promise<void>>
  /**
   * Resolves to the first answer of any recipient, given at any gateway.
   * @throws RecipientsGone once no recipient is left and none replaces it, and when `signal` aborts
   */
  offer(offer: Offer, signal: AbortSignal): Promise<ProposalAnswer>
  /** Resolves when the message can only be lost together with its recipients. @throws RecipientsGone */
  notify(message: ParticipationMessage): Promise<void>
  /** False if the answer arrived too late, was not the first, or belongs to no proposal. */
  answer(proposal: string, answer: ProposalAnswer): Promise<boolean>
}

/** No recipient is left that could answer. */
export class RecipientsGone extends Error {
  override readonly name = 'RecipientsGone'
}
