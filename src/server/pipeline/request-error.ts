import { GraphQLError } from 'graphql'

/** Codes of requests that are refused before they reach the registry, or that it did not finish. */
export const REQUEST_ERROR_CODES = [
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
  'TOO_LARGE',
  'TIMEOUT',
  'OUTCOME_UNKNOWN',
  'UNAVAILABLE',
  'FORBIDDEN',
] as const

export type RequestErrorCode = (typeof REQUEST_ERROR_CODES)[number]

export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } })
}
