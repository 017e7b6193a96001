import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { isCallerError, toGraphQLError } from '../../graphql/base/graphql-errors.js'
import type { Log } from '../observing/log.js'
import { requestError } from './request-error.js'

export type MaskError = (error: unknown) => GraphQLError

/**
 * Creates a function that returns the part of an error that a client may see. An error that the client can fix is shown
 * whole. Any other is replaced by an id, under which the log has the rest. A cause that fails a hundred fields is
 * logged once.
 */
export function createMaskError(log: Log): MaskError {
  const ids = new WeakMap<object, string>()
  return (error) => {
    if (isCallerError(error)) return toGraphQLError(error)
    const cause = causeOf(error)
    if (isTooLong(cause))
      return requestError(
        'TOO_LARGE',
        'The answer is longer than 512 MiB and cannot be sent. Request smaller pages (first, last), fewer entries or fewer fields. A mutation has taken effect nevertheless.',
      )
    if (isTooDeep(cause))
      return requestError('TOO_LARGE', 'A value of the request is nested too deeply to be read. Nest it less deeply.')
    const known = typeof cause === 'object' && cause !== null ? ids.get(cause) : undefined
    const id = known ?? randomUUID()
    if (known === undefined) {
      if (typeof cause === 'object' && cause !== null) ids.set(cause, id)
      const path = error instanceof GraphQLError ? error.path : undefined
      log.error({ id, err: cause, ...(path && { path }) }, 'a GraphQL operation failed unexpectedly')
    }
    const place = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {}
    return new GraphQLError('Unexpected error', { ...place, extensions: { code: 'INTERNAL_SERVER_ERROR', id } })
  }
}

/** V8 throws this for a string of more than 2^29 - 24 characters. */
function isTooLong(cause: unknown): boolean {
  return cause instanceof RangeError && cause.message === 'Invalid string length'
}

/** Variables are read by recursion, in graphql-js too. About 2,000 levels of a filter overflow the stack. */
function isTooDeep(cause: unknown): boolean {
  return cause instanceof RangeError && cause.message === 'Maximum call stack size exceeded'
}

function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError
  return cause
}
