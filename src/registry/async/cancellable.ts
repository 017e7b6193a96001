/**
 * Makes an async generator that can be ended while it waits. A generator's own `return` queues behind the pending `next`, so a
 * subscription without a listener would wait for its next event, perhaps forever.
 * @param start - receives a signal that aborts with `signal`, and when the caller returns
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
  const detach = () => signal.removeEventListener('abort', abort)

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        const result = await items.next()
        if (result.done === true) detach()
        return result
      } catch (error) {
        detach()
        throw error
      }
    },
    async return() {
      own.abort('returned')
      detach()
      await items.return()
      return { done: true, value: undefined }
    },
  }
}
