import { GraphQLError } from 'graphql'

/** Codes of what can be wrong with a request before the registry hears of it. */
export type RequestErrorCode =
  | 'BAD_USER_INPUT'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'QUERY_TOO_COMPLEX'
  | 'TOO_LARGE'
  | 'TIMEOUT'
  | 'OUTCOME_UNKNOWN'
  | 'UNAVAILABLE'
  | 'FORBIDDEN'

export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } })
}
