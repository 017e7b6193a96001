import { pause } from './pause.js'
import type { Participant, Proposal } from './participant.js'

/** Told what could not be told. */
export type Untold = (participant: string, proposal: Proposal, error: unknown) => void

/**
 * Tells participants what awaits no answer: each hears it in order, none waits for another. Who could not be told
 * of one inverse is spared the others, so that one that hangs costs a bounded time, but is owed the end.
 */
export class Teller {
  readonly #tails = new Map<string, Promise<void>>()
  readonly #failed = new Set<string>()

  constructor(private readonly untold: Untold, private readonly longestMs: number) {}

  tell(participant: Participant, proposal: Proposal, always: boolean): void {
    const { name } = participant
    const before = this.#tails.get(name) ?? Promise.resolve()
    this.#tails.set(name, before.then(async () => {
      if (this.#failed.has(name) && !always) return
      try {
        await withinTime(Math.min(participant.timeoutMs, this.longestMs), (signal) => participant.tell(proposal, signal))
      } catch (error) {
        this.#failed.add(name)
        this.untold(name, proposal, error)
      }
    }))
  }

  /** All that was to be told has been, as far as it could. */
  async settled(): Promise<void> {
    await Promise.all(this.#tails.values())
  }
}

/** Nothing came in time. */
export class TimeIsUp extends Error {
  override readonly name = 'TimeIsUp'
}

/** Runs work that may never settle. @throws TimeIsUp after `ms`, by the monotonic clock; the signal's reason when that aborts */
export async function withinTime<Result>(ms: number, work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let abort = () => {}
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeIsUp(`no answer within ${Math.round(ms)} ms`)), Math.max(0, ms))
    abort = () => reject(signal!.reason as Error)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
  try {
    // Begun in a promise: what throws at once has failed like what rejects.
    return await Promise.race([Promise.resolve().then(() => work(ending.signal)), late])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    ending.abort()
  }
}

/** Waits for something that need not end, for a while. */
export async function waitFor(done: Promise<unknown>, ms: number): Promise<void> {
  const waiting = new AbortController()
  await Promise.race([done, pause(ms, waiting.signal)])
  waiting.abort()
}
