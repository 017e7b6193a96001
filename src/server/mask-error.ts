import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { isCallerError, toGraphQLError } from '../graphql/errors.js'
import type { Log } from './log.js'

export type MaskError = (error: unknown) => GraphQLError

/**
 * What a client is shown of an error: all of one that it can do something about, of any other an id, under
 * which the log has the rest. One cause that fails a hundred fields is logged once.
 */
export function createErrorMask(log: Log): MaskError {
  const told = new WeakMap<object, string>()
  return (error) => {
    if (isCallerError(error)) return toGraphQLError(error)
    const cause = causeOf(error)
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

function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError
  return cause
}
