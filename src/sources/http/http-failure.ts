/** A request that failed. The message has no URL, because the caller adds it. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure'

  constructor(
    message: string,
    /** Whether a retry may succeed. */
    readonly transient: boolean,
    /** The server's `Retry-After`, or null. */
    readonly retryAfterMs: number | null = null,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** Error codes of a failed connection. */
const TRANSIENT_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'Z_BUF_ERROR',
])

/** Turns an error of a request into a failure with a readable message. */
export function httpFailure(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error
  const { code = '', message = '' } = (error ?? {}) as NodeJS.ErrnoException
  const words =
    code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
      ? 'the connection was dropped'
      : code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code.startsWith('ERR__ERROR')
        ? `the response cannot be decoded: ${message}`
        : message || code || 'the request failed'
  return new HttpFailure(words, TRANSIENT_CODES.has(code), null, { cause: error })
}
