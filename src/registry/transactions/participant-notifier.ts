import { waitAtMost, withinDeadline } from '../async/within-deadline.js'
import type { Participant, Proposal } from '../participants/participant.js'

/** Receives notifications that could not be delivered. */
export type OnUndelivered = (participant: string, proposal: Proposal, error: unknown) => void

/**
 * @bound Time for which an offer, or a write's answer, waits until a participant has acknowledged what it was notified of. A
 * notification is always sent before the offer that follows it. The wait keeps the two in order on separate connections.
 */
const ACKNOWLEDGED_MS = 250
/** @bound Notifications to one participant that are not acknowledged yet. More are not delivered, and are logged. */
const PENDING_NOTIFICATIONS = 10_000

/** Counts the notifications of all transactions that each participant has not acknowledged yet. */
export class PendingNotifications {
  readonly #counts = new Map<string, number>()

  constructor(private readonly most = PENDING_NOTIFICATIONS) {}

  /** Returns false if too many are pending. */
  add(participant: string): boolean {
    const count = this.#counts.get(participant) ?? 0
    if (count >= this.most) return false
    this.#counts.set(participant, count + 1)
    return true
  }

  remove(participant: string): void {
    const count = this.#counts.get(participant) ?? 0
    if (count > 1) this.#counts.set(participant, count - 1)
    else this.#counts.delete(participant)
  }
}

/**
 * Sends participants the proposals that await no answer. Each participant receives them in order, and none waits for
 * another. After a failed notification the rest are skipped, except those that are `always` sent. So a participant that
 * hangs costs a bounded time.
 */
export class ParticipantNotifier {
  readonly #tails = new Map<string, Promise<void>>()
  readonly #acknowledged = new Map<string, Promise<unknown>>()
  readonly #failed = new Set<string>()

  constructor(
    private readonly onUndelivered: OnUndelivered,
    private readonly longestMs: number,
    private readonly pending: PendingNotifications,
  ) {}

  notify(participant: Participant, proposal: Proposal, always: boolean): void {
    const { name } = participant
    if (this.#failed.has(name) && !always) return
    if (!this.pending.add(name)) {
      this.#failed.add(name)
      this.onUndelivered(name, proposal, new Error('Too many earlier notifications are not acknowledged'))
      return
    }
    const before = this.#tails.get(name) ?? Promise.resolve()
    const tail = before
      .then(() => this.#deliver(participant, proposal, always))
      .finally(() => this.pending.remove(name))
    this.#tails.set(name, tail)
    this.#acknowledged.set(name, participant.isQueued === true ? tail : waitAtMost(ACKNOWLEDGED_MS, tail))
  }

  /** Resolves when the participant has acknowledged its notifications, or has had the time for it. */
  async acknowledged({ name }: Participant): Promise<void> {
    await this.#acknowledged.get(name)
  }

  /** As `acknowledged`, for all participants. */
  async allAcknowledged(): Promise<void> {
    await waitAtMost(ACKNOWLEDGED_MS, Promise.all(this.#acknowledged.values()))
  }

  /** Resolves when every notification was delivered or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#tails.values())
  }

  async #deliver(participant: Participant, proposal: Proposal, always: boolean): Promise<void> {
    const { name } = participant
    if (this.#failed.has(name) && !always) return
    try {
      await withinDeadline(Math.min(participant.timeoutMs, this.longestMs), (signal) =>
        participant.notify(proposal, signal),
      )
    } catch (error) {
      this.#failed.add(name)
      this.onUndelivered(name, proposal, error)
    }
  }
}
