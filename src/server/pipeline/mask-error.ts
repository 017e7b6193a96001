import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { isCallerError, toGraphQLError } from '../../graphql/base/graphql-errors.js'
import type { Log } from '../observing/log.js'
import { requestError } from './request-error.js'

export type MaskError = (error: unknown) => GraphQLError

/**
 * What a client is shown of an error: all of one that it can do something about, of any other an id, under
 * which the log has the rest. One cause that fails a hundred fields is logged once.
 */
export function createMaskError(log: Log): MaskError {
  const told = new WeakMap<object, string>()
  return (error) => {
    if (isCallerError(error)) return toGraphQLError(error)
    const cause = causeOf(error)
    if (isTooLong(cause))
      return requestError(
        'TOO_LARGE',
        'the answer is longer than 512 MiB, which cannot be sent: ask for less of it; what a mutation did is done',
      )
    const known = typeof cause === 'object' && cause !== null ? told.get(cause) : undefined
    const id = known ?? randomUUID()
    if (known === undefined) {
      if (typeof cause === 'object' && cause !== null) told.set(cause, id)
      const path = error instanceof GraphQLError ? error.path : undefined
      log.error({ id, err: cause, ...(path && { path }) }, 'an operation failed unexpectedly')
    }
    const place = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {}
    return new GraphQLError('Unexpected error', { ...place, extensions: { code: 'INTERNAL_SERVER_ERROR', id } })
  }
}

/** How V8 says that a text would be longer than any may be: 2^29 - 24 characters. */
function isTooLong(cause: unknown): boolean {
  return cause instanceof RangeError && cause.message === 'Invalid string length'
}

function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError
  return cause
}
