import { GraphQLError } from 'graphql'
import { RegistryError } from '../../core/errors/registry-error.js'

/** Makes an error for invalid input. Scalars need a code of their own: graphql-js calls them outside of any resolver. */
export function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** Whether an error is meant for the caller: one of the registry or of GraphQL itself. All others must be masked. */
export function isCallerError(error: unknown): boolean {
  const cause = rootCause(error)
  return cause instanceof RegistryError || cause instanceof GraphQLError
}

/**
 * Converts an error into the form that clients see: with `extensions.code`, its location in the document and its path.
 * An error that is not meant for the caller (`isCallerError`) keeps its message and gets no code: it is for the log only.
 */
export function toGraphQLError(error: unknown): GraphQLError {
  const cause = rootCause(error)
  if (cause instanceof RegistryError) return located(error, cause, { ...cause.details, code: cause.code })
  if (cause instanceof GraphQLError) return withCode(error as GraphQLError)
  if (error instanceof GraphQLError) return error
  const unknown = error instanceof Error ? error : new Error(String(error))
  return new GraphQLError(unknown.message, { originalError: unknown })
}

/** Errors of graphql-js itself, such as an unknown field, have no code. */
function withCode(error: GraphQLError): GraphQLError {
  if (error.extensions['code'] !== undefined) return error
  return located(error, error, { ...error.extensions, code: 'BAD_USER_INPUT' })
}

function located(error: unknown, cause: Error, extensions: Record<string, unknown>): GraphQLError {
  const at = error instanceof GraphQLError ? error : undefined
  return new GraphQLError(at?.message ?? cause.message, {
    originalError: cause,
    extensions,
    ...(at?.nodes === undefined ? { source: at?.source, positions: at?.positions } : { nodes: at.nodes }),
    path: at?.path,
  })
}

/** Unwraps an error: graphql-js and the transports each wrap the thrown error. */
function rootCause(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError
  return cause
}
