import { RegistryError } from '../../../core/errors/registry-error.js'

/** Error codes of a server that cannot be reached. The codes 57P0x mean that it is shutting down or starting up. */
const CONNECTION_FAILURES = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'CONNECTION_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08003',
  '08006',
  '53300',
])
/**
 * The codes of this class mean that space, memory or locks ran out, or that a file cannot be written. The server runs
 * but cannot serve the request now.
 */
const CLASS_INSUFFICIENT_RESOURCES = '53'
const CLASS_SYSTEM_ERROR = '58'
const CANCELLED = '57014'
const LOCK_NOT_AVAILABLE = '55P03'
const READ_ONLY = '25006'

export function errorCode(error: unknown): string {
  const candidate = error as { code?: unknown; cause?: unknown } | null
  if (typeof candidate?.code === 'string') return candidate.code
  // Drizzle wraps the driver's errors.
  return candidate?.cause == null ? '' : errorCode(candidate.cause)
}

export function isConnectionFailure(error: unknown): boolean {
  return CONNECTION_FAILURES.has(errorCode(error))
}

/** Maps an error of the store to a RegistryError. Other errors are returned as they are, to be masked and logged. */
export function toRegistryError(error: unknown): unknown {
  if (error instanceof RegistryError) return error
  const code = errorCode(error)
  if (code === CANCELLED || code === LOCK_NOT_AVAILABLE) {
    return new RegistryError('TIMEOUT', 'The store took too long. Request less, or try again.', {}, { cause: error })
  }
  if (CONNECTION_FAILURES.has(code)) {
    return new RegistryError('UNAVAILABLE', 'The store cannot be reached. Try again.', {}, { cause: error })
  }
  if (code.startsWith(CLASS_INSUFFICIENT_RESOURCES) || code.startsWith(CLASS_SYSTEM_ERROR) || code === READ_ONLY) {
    return new RegistryError(
      'UNAVAILABLE',
      'The store cannot write now. Nothing was changed. Try again later.',
      { reason: code },
      { cause: error },
    )
  }
  return error
}
