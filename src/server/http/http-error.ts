import type { OutgoingHttpHeaders } from 'node:http'
import type { GraphQLError } from 'graphql'

/** A request that is answered with a status of its own before any operation runs. */
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
