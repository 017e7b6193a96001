import { GraphQLError } from 'graphql'
import { timeSlicer, yieldToEventLoop } from '../../registry/async/pause.js'

/** Runs one read of the store for a request. */
export type ReadGate = <Result>(read: () => Promise<Result>) => Promise<Result>

/** How the work of a heavy operation is spread, so that other requests are answered in between. */
export interface HeavyWork {
  /** Runs the reads one after another, and none after the caller is gone. */
  readonly read: ReadGate
  /** To be awaited between parts of long synchronous work. @throws GraphQLError if the caller is gone */
  readonly slice: () => Promise<void> | undefined
}

/** Thread time after which a heavy operation lets other requests run. */
const SLICE_MS = 5

export const UNGATED: ReadGate = (read) => read()

/** @param rest - Called after each read with its duration. The next one begins once the promise resolves. */
export function createHeavyWork(
  signal: AbortSignal,
  rest: (ms: number) => Promise<void> | undefined = () => undefined,
): HeavyWork {
  let last: Promise<unknown> = Promise.resolve()
  const slicer = timeSlicer(SLICE_MS)
  const check = () => {
    if (signal.aborted) throw cancelled()
  }
  return {
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
      return slicer()
    },
  }
}

/** Nobody reads this error, because it is thrown only when the answer is no longer awaited. */
function cancelled(): GraphQLError {
  return new GraphQLError('The operation was cancelled.', { extensions: { code: 'UNAVAILABLE' } })
}
