import type { EntryContent } from '../../core/entry/entry.js'
import type { ProposedEventKind } from '../../core/events/event-kinds.js'

/** An offer to a participant that awaits its answer, or a notification. */
export interface Proposal {
  /** A UUID, unique for each participant and each offer. */
  readonly id: string
  /** The UUID of the commit request. */
  readonly transaction: string
  readonly kind: ProposedEventKind
  /** The new content. Null for a delete and for proposals of the transaction itself. */
  readonly entry: EntryContent | null
  /** The current content. Null for a create and for proposals of the transaction itself. */
  readonly original: EntryContent | null
  /** False for notifications: begin, commit, discard and inverse operations. */
  readonly awaitsAnswer: boolean
  /** After this time an answer no longer counts. Null for a notification. */
  readonly deadline: Date | null
}

/** A participant's answer to an offer. */
export type ParticipantAnswer = { readonly accept: true } | { readonly accept: false; readonly reason: string | null }

/**
 * @bound Length of a participant's reason: UTF-8 bytes that a client may send, or characters that are stored of any other
 * reason. It appears in answers, events and logs.
 */
export const LONGEST_REASON = 4_096

/** Whether the silence or failure of a participant refuses the changeset. */
export type OnFailure = 'refuse' | 'pass'

/** A participant: it accepts or rejects operations before a changeset is applied. */
export interface Participant {
  readonly name: string
  /** Bus patterns of the kinds of entry it takes part for; `**` for all. */
  readonly kinds: readonly string[]
  readonly onFailure: OnFailure
  /** Time for one answer in milliseconds, unless the gateway's own deadline is shorter. */
  readonly timeoutMs: number
  /** Whether `notify` hands the proposal to a queue of the gateway, which keeps it before the offers that follow. */
  readonly isQueued?: boolean
  /**
   * Returns its first answer, or rejects if it failed (PARTICIPANT_FAILED). `signal` aborts when the answer is no
   * longer awaited.
   */
  offer(proposal: Proposal, signal: AbortSignal): Promise<ParticipantAnswer>
  /** Delivers a notification, or rejects if that failed. No outcome depends on it. */
  notify(proposal: Proposal, signal: AbortSignal): Promise<void>
}

/** Finds participants: plugins, webhooks or GraphQL clients. */
export interface ParticipantDirectory {
  /** Returns the participants of any gateway that take part for any of these kinds of entry now, each once. */
  forKinds(kinds: readonly string[]): Promise<readonly Participant[]>
  /** Whether there is any participant. Directories without this method may have some. */
  hasAny?(): Promise<boolean>
  /** Whether there is probably no participant. At the commit, the store verifies that no client participates. */
  seemsEmpty?(): boolean
}
