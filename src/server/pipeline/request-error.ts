import { GraphQLError } from 'graphql'
import type { RequestErrorCode } from '../../core/errors/codes.js'

/** Makes the error for a request that is refused before it reaches the registry, or that was not finished. */
export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } })
}
