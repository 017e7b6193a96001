import { GraphQLError } from 'graphql'
import { yieldToEventLoop } from '../../registry/async/pause.js'
import { pauseIfDue } from '../../store/coalescing/time-slices.js'

/** Runs one read of the store for a request. */
export type ReadGate = <Result>(read: () => Promise<Result>) => Promise<Result>

/** How the work of a heavy operation is spread, so that other requests are answered in between. */
export interface HeavyWork {
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal
  /** Runs the reads one after another, and none after the caller is gone. */
  readonly read: ReadGate
  /** To be awaited between parts of long synchronous work. @throws GraphQLError if the caller is gone */
  readonly slice: () => Promise<void> | undefined
}

export const UNGATED: ReadGate = (read) => read()

/** @param rest - Called after each read with its duration. The next one begins once the promise resolves. */
export function createHeavyWork(
  signal: AbortSignal,
  rest: (ms: number) => Promise<void> | undefined = () => undefined,
): HeavyWork {
  let last: Promise<unknown> = Promise.resolve()
  const check = () => {
    if (signal.aborted) throw cancelled()
  }
  return {
    signal,
    read(read) {
      let since = 0
      const result = last.then(() => {
        check()
        since = performance.now()
        return read()
      })
      last = result.then(yieldToEventLoop, yieldToEventLoop).then(() => rest(performance.now() - since))
      return result
    },
    slice() {
      check()
      return pauseIfDue()
    },
  }
}

/** Nobody reads this error, because it is thrown only when the answer is no longer awaited. */
export function cancelled(): GraphQLError {
  return new GraphQLError('The operation was cancelled.', { extensions: { code: 'UNAVAILABLE' } })
}
