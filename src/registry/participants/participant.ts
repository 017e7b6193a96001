import type { EntryContent } from '../../core/entry/entry.js'
import type { ProposedEventKind } from '../../core/events/event-kinds.js'

/** One thing that a participant is asked or told. */
export interface Proposal {
  /** A UUID, unique for each participant and each offer. */
  readonly id: string
  /** A UUID: that of the commit request. */
  readonly transaction: string
  readonly kind: ProposedEventKind
  /** What the entry is to hold; null for a delete and for the transaction's own proposals. */
  readonly entry: EntryContent | null
  /** What it holds; null for a create and for the transaction's own proposals. */
  readonly original: EntryContent | null
  /** False for what only tells: begin, commit, discard and inverse operations. */
  readonly awaitsAnswer: boolean
  /** Until when an answer counts; null for what only tells. */
  readonly deadline: Date | null
}

export type ParticipantAnswer = { readonly accept: true } | { readonly accept: false; readonly reason: string | null }

/**
 * @bound Length of a participant's reason: UTF-8 bytes that a client may send, or characters that are kept of any other
 * reason. It appears in answers, events and logs.
 */
export const LONGEST_REASON = 4_096

/** What the silence or failure of a participant does to the changeset. */
export type OnFailure = 'refuse' | 'pass'

/** Who is asked before a changeset is applied. */
export interface Participant {
  readonly name: string
  /** Bus patterns of the kinds of entry it takes part for; `**` for all. */
  readonly kinds: readonly string[]
  readonly onFailure: OnFailure
  /** How long it has for one answer, unless the gateway's own time is shorter. */
  readonly timeoutMs: number
  /** Its first answer. Rejects where it has failed (PARTICIPANT_FAILED). `signal` aborts when nobody waits any more. */
  offer(proposal: Proposal, signal: AbortSignal): Promise<ParticipantAnswer>
  /** Resolves when it has been told; rejects where that failed. Nobody's answer depends on it. */
  notify(proposal: Proposal, signal: AbortSignal): Promise<void>
}

/** Where participants are found. Several are asked side by side: plugins, webhooks, GraphQL clients. */
export interface ParticipantDirectory {
  /** Those that take part for any of these kinds of entry now, on any gateway; once each. */
  forKinds(kinds: readonly string[]): Promise<readonly Participant[]>
  /** Whether there is anybody at all; left out, there may be. */
  hasAny?(): Promise<boolean>
  /** Nobody takes part as far as is known; that no client does, the store makes sure of at the commit. */
  seemsEmpty?(): boolean
}
