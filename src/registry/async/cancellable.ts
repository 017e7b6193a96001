/**
 * An async generator that can be ended while it waits. A generator's own `return` queues behind the `next`
 * that is pending, so a subscription nobody listens to would wait for its next event, for ever perhaps.
 */
export function cancellable<Item>(
  signal: AbortSignal,
  start: (signal: AbortSignal) => AsyncGenerator<Item, void, undefined>,
): AsyncIterableIterator<Item> {
  const own = new AbortController()
  const abort = () => own.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  const items = start(own.signal)
  const letGo = () => signal.removeEventListener('abort', abort)

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        const result = await items.next()
        if (result.done === true) letGo()
        return result
      } catch (error) {
        letGo()
        throw error
      }
    },
    async return() {
      own.abort('returned')
      letGo()
      await items.return()
      return { done: true, value: undefined }
    },
  }
}
