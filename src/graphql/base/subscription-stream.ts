import { isCallerError, toGraphQLError } from './graphql-errors.js'
import type { RequestContext } from './request-context.js'

/**
 * Makes the source of a subscription. It opens the events with a signal of its own, which aborts as soon as the
 * client leaves, even while the stream waits for the next event. Errors get their code here, because nothing above
 * maps errors thrown between two events.
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
      // Abort first: a generator queues `return` behind a `next` that is waiting for an event.
      settle()
      await events.return?.()
      return { done: true, value }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
