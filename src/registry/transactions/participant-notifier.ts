import { withinDeadline } from '../async/within-deadline.js'
import type { Participant, Proposal } from '../participants/participant.js'

/** Receives notifications that could not be delivered. */
export type OnUndelivered = (participant: string, proposal: Proposal, error: unknown) => void

/**
 * Sends participants the proposals that await no answer. Each participant receives them in order, and none waits for
 * another. After a failed notification the rest are skipped, except those that are `always` sent. So a participant that
 * hangs costs a bounded time.
 */
export class ParticipantNotifier {
  readonly #tails = new Map<string, Promise<void>>()
  readonly #failed = new Set<string>()

  constructor(
    private readonly onUndelivered: OnUndelivered,
    private readonly longestMs: number,
  ) {}

  notify(participant: Participant, proposal: Proposal, always: boolean): void {
    const { name } = participant
    const before = this.#tails.get(name) ?? Promise.resolve()
    this.#tails.set(
      name,
      before.then(async () => {
        if (this.#failed.has(name) && !always) return
        try {
          await withinDeadline(Math.min(participant.timeoutMs, this.longestMs), (signal) =>
            participant.notify(proposal, signal),
          )
        } catch (error) {
          this.#failed.add(name)
          this.onUndelivered(name, proposal, error)
        }
      }),
    )
  }

  /** Resolves when every notification was delivered or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#tails.values())
  }
}
