import { GraphQLError } from 'graphql'
import { RegistryError } from '../../core/errors/registry-error.js'

/** What the caller sent cannot be read: for scalars, which graphql-js asks outside of any resolver. */
export function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** Whether an error was meant for its caller: made by the registry or by GraphQL itself. All others are to be masked. */
export function isCallerError(error: unknown): boolean {
  const cause = rootCause(error)
  return cause instanceof RegistryError || cause instanceof GraphQLError
}

/**
 * The error as a client is to see it, with `extensions.code`, its place in the document and its path kept.
 * One that is not a caller's (`isCallerError`) keeps its message and has no code: it is for the log only.
 */
export function toGraphQLError(error: unknown): GraphQLError {
  const cause = rootCause(error)
  if (cause instanceof RegistryError) return placed(error, cause, { ...cause.details, code: cause.code })
  if (cause instanceof GraphQLError) return coded(error as GraphQLError)
  if (error instanceof GraphQLError) return error
  const unknown = error instanceof Error ? error : new Error(String(error))
  return new GraphQLError(unknown.message, { originalError: unknown })
}

/** GraphQL's own complaints (a variable of another type, an unknown field) come without a code. */
function coded(error: GraphQLError): GraphQLError {
  if (error.extensions['code'] !== undefined) return error
  return placed(error, error, { ...error.extensions, code: 'BAD_USER_INPUT' })
}

function placed(error: unknown, cause: Error, extensions: Record<string, unknown>): GraphQLError {
  const at = error instanceof GraphQLError ? error : undefined
  return new GraphQLError(at?.message ?? cause.message, {
    originalError: cause,
    extensions,
    ...(at?.nodes === undefined ? { source: at?.source, positions: at?.positions } : { nodes: at.nodes }),
    path: at?.path,
  })
}

/** graphql-js and the transports each wrap what was thrown once more. */
function rootCause(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError
  return cause
}
