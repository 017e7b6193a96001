import { withinDeadline } from '../async/within-deadline.js'
import type { Participant, Proposal } from '../participants/participant.js'

/** Told what could not be told. */
export type OnUndelivered = (participant: string, proposal: Proposal, error: unknown) => void

/**
 * Tells participants what awaits no answer: each hears it in order, none waits for another. Who could not be told
 * of one inverse is spared the others, so that one that hangs costs a bounded time, but is owed the end.
 */
export class ParticipantNotifier {
  readonly #tails = new Map<string, Promise<void>>()
  readonly #failed = new Set<string>()

  constructor(
    private readonly undelivered: OnUndelivered,
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
          this.undelivered(name, proposal, error)
        }
      }),
    )
  }

  /** All that was to be told has been, as far as it could. */
  async settled(): Promise<void> {
    await Promise.all(this.#tails.values())
  }
}
