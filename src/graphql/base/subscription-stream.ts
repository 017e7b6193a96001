import { isCallerError, toGraphQLError } from './graphql-errors.js'
import type { RequestContext } from './request-context.js'

/**
 * A subscription's source: opens what it follows with a signal of its own, which aborts as soon as the client
 * lets go, even while the next event is being waited for. Errors leave it with their code, because nothing
 * above maps what a source throws between two events.
 */
export function subscriptionStream<Event>(
  context: RequestContext,
  open: (signal: AbortSignal) => AsyncIterableIterator<Event>,
): AsyncIterableIterator<Event> {
  const abort = new AbortController()
  const stop = () => abort.abort()
  if (context.signal.aborted) stop()
  else context.signal.addEventListener('abort', stop, { once: true })
  const settle = () => {
    context.signal.removeEventListener('abort', stop)
    stop()
  }
  const events = open(abort.signal)

  return {
    async next() {
      try {
        const result = await events.next()
        if (result.done === true) settle()
        return result
      } catch (error) {
        settle()
        throw isCallerError(error) ? toGraphQLError(error) : error
      }
    },
    async return(value) {
      // First the signal: a generator would queue `return` behind the `next` that waits for an event.
      settle()
      await events.return?.()
      return { done: true, value }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
