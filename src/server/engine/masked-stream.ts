import type { ExecutionResult } from 'graphql'
import type { MaskError } from '../pipeline/mask-error.js'
import { isStream } from '../pipeline/operation-request.js'

/** Wraps a stream so that it masks its errors, and aborts its execution as soon as it is over. */
export function maskedStream(
  stream: AsyncIterableIterator<ExecutionResult>,
  mask: MaskError,
  execution: AbortController,
): AsyncIterableIterator<ExecutionResult> {
  const end = () => execution.abort('the stream has ended')
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        const result = await stream.next()
        if (result.done === true) end()
        return result
      } catch (error) {
        end()
        throw mask(error)
      }
    },
    async return() {
      // Aborts first, which wakes a pending `next`.
      end()
      await stream.return?.()
      return { done: true, value: undefined }
    },
  }
}

/** Returns the stream of a subscription that is still starting. Iterating throws if it does not start. */
export function startingStream(
  starting: Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>,
  mask: MaskError,
  execution: AbortController,
): AsyncIterableIterator<ExecutionResult> {
  const stream = starting.then((result) => {
    if (isStream(result)) return maskedStream(result, mask, execution)
    throw result.errors?.[0] ?? new Error('The subscription returned no stream.')
  })
  // The error is thrown to the consumer, by `next`.
  stream.catch(() => undefined)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: async () => (await stream).next(),
    async return() {
      execution.abort('the stream has ended')
      await (await stream).return?.()
      return { done: true, value: undefined }
    },
  }
}
