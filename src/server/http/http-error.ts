import type { OutgoingHttpHeaders } from 'node:http'
import type { GraphQLError } from 'graphql'

/** A request that is answered with an HTTP status of its own, before anything is executed. */
export class HttpError extends Error {
  override readonly name = 'HttpError'

  constructor(
    readonly status: number,
    readonly error: GraphQLError,
    readonly headers: OutgoingHttpHeaders = {},
  ) {
    super(error.message)
  }
}
