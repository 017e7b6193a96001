/** An error of the gateway, or a failure to reach it. */
export class ClientError extends Error {
  override readonly name = 'ClientError'

  /**
   * @param code - A code of the gateway (docs/error-codes.md), or DISCONNECTED, UNREACHABLE or NOT_A_GATEWAY
   */
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Codes after which the same request may succeed. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'ACCESS_CHANGED',
  'DISCONNECTED',
  'OUTCOME_UNKNOWN',
  'RATE_LIMITED',
  'TIMEOUT',
  'UNAVAILABLE',
  'UNREACHABLE',
])

export function isTransient(error: unknown): boolean {
  return error instanceof ClientError && TRANSIENT.has(error.code)
}

/** Makes an error of the errors in a GraphQL result. */
export function errorOfResult(errors: unknown): ClientError {
  const [first] = Array.isArray(errors) ? (errors as { message?: unknown; extensions?: { code?: unknown } }[]) : []
  const { message, extensions } = first ?? {}
  const code = typeof extensions?.code === 'string' ? extensions.code : 'NOT_A_GATEWAY'
  return new ClientError(typeof message === 'string' ? message : 'The answer has errors of an unknown form.', code)
}
