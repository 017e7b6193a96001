/** A request that did not give what was asked for. Its message has no URL: where it was sent is for the caller to say. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure'

  constructor(
    message: string,
    /** It may work if it is tried again. */
    readonly transient: boolean,
    /** How long the server wants to be left alone; null where it does not say. */
    readonly retryAfterMs: number | null = null,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** The connection failed, and not what was said over it. */
const IN_PASSING = new Set([
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

/** What a request threw, in words. */
export function httpFailure(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error
  const { code = '', message = '' } = (error ?? {}) as NodeJS.ErrnoException
  const words =
    code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
      ? 'the connection was dropped'
      : code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code.startsWith('ERR__ERROR')
        ? `the answer cannot be unpacked: ${message}`
        : message || code || 'the request failed'
  return new HttpFailure(words, IN_PASSING.has(code), null, { cause: error })
}
