import type { Steps } from '../../core/algorithms/steps.js'

/**
 * @bound Time for which long work may use the thread before everything else that is ready runs. All long work of one
 * turn of the event loop shares it.
 */
const SLICE_MS = 5

/** The surroundings of time slices. */
export interface Clock {
  /** The time in milliseconds. */
  now(): number
  /** Calls back in the next turn of the event loop, after all input that is ready has been handled. */
  nextTurn(callback: () => void): void
  /** Calls back in this turn, once all promises that are settled have been handled. */
  afterPromises(callback: () => void): void
}

const PROCESS_CLOCK: Clock = {
  now: () => performance.now(),
  nextTurn: (callback) => void setImmediate(callback),
  afterPromises: (callback) => queueMicrotask(() => process.nextTick(callback)),
}

/**
 * Shares the thread between all long work of the process. Each turn of the event loop has one slice of 5 ms, which work
 * continues in the order in which it paused. If each piece of work had a slice of its own, a hundred of them would hold
 * the thread for 500 ms.
 */
export class TimeSlices {
  /** Work that waits for its next slice. */
  readonly #waiting: (() => void)[] = []
  /** When the first long work of this turn began; null before. */
  #began: number | null = null

  constructor(private readonly clock: Clock = PROCESS_CLOCK) {}

  /** Returns a promise of the next slice if this turn's is used up, else undefined. Call it between steps. */
  pauseIfDue(): Promise<void> | undefined {
    const now = this.clock.now()
    if (this.#began === null) {
      this.#began = now
      this.clock.nextTurn(this.#beginTurn)
      return undefined
    }
    if (now - this.#began < SLICE_MS) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /**
   * Runs steps with pauses.
   * @returns the result, or a promise of it if a pause was needed
   * @throws the signal's reason if it aborts at a pause
   */
  run<Result>(steps: Steps<Result>, signal?: AbortSignal): Result | Promise<Result> {
    signal?.throwIfAborted()
    const slice = this.#runSlice(steps)
    return 'result' in slice ? slice.result : this.#runRest(steps, slice.pause, signal)
  }

  async #runRest<Result>(steps: Steps<Result>, first: Promise<void>, signal: AbortSignal | undefined): Promise<Result> {
    for (let pause = first; ; ) {
      await pause
      signal?.throwIfAborted()
      const slice = this.#runSlice(steps)
      if ('result' in slice) return slice.result
      pause = slice.pause
    }
  }

  #runSlice<Result>(steps: Steps<Result>): { readonly result: Result } | { readonly pause: Promise<void> } {
    for (;;) {
      const { done, value } = steps.next()
      if (done === true) return { result: value }
      const pause = this.pauseIfDue()
      if (pause !== undefined) return { pause }
    }
  }

  readonly #beginTurn = (): void => {
    this.#began = null
    if (this.#waiting.length === 0) return
    this.#began = this.clock.now()
    this.clock.nextTurn(this.#beginTurn)
    this.#continueNext()
  }

  /** Lets the next piece of work continue, and the one after it if that leaves time. */
  readonly #continueNext = (): void => {
    if (this.#began === null || this.clock.now() - this.#began >= SLICE_MS) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    next()
    if (this.#waiting.length > 0) this.clock.afterPromises(this.#continueNext)
  }
}

const processSlices = new TimeSlices()

/** Runs steps within the time slices of this process. See `TimeSlices.run`. */
export function inSlices<Result>(steps: Steps<Result>, signal?: AbortSignal): Result | Promise<Result> {
  return processSlices.run(steps, signal)
}

/** Returns a promise of the next time slice of this process if the current one is used up, else undefined. */
export function pauseIfDue(): Promise<void> | undefined {
  return processSlices.pauseIfDue()
}
