import type { EntryId } from '../../core/entry/entry-id.js'
import { instanceNameFault, metadataText, ttlFault } from '../../core/entry/instance.js'
import type { ValueLimits } from '../../core/entry/value-faults.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/**
 * Checks an acquire and returns the text of its metadata as it will be stored.
 * @throws RegistryError BAD_USER_INPUT, TOO_LARGE
 */
export function checkAcquire(
  { name, ttlSeconds, metadata }: Omit<AcquireInstanceInput, 'entry'>,
  limits: ValueLimits,
): string | null {
  const fault = instanceNameFault(name)
  if (fault !== undefined) throw bad(`The name of the instance is not valid: ${fault}.`)
  checkTtl(ttlSeconds)
  const stored = metadataText(metadata, limits)
  if ('text' in stored) return stored.text
  const [first] = stored.faults
  throw new RegistryError(first!.code === 'TOO_LARGE' ? 'TOO_LARGE' : 'BAD_USER_INPUT', first!.message)
}

/**
 * Checks a time to live, in seconds.
 * @throws RegistryError BAD_USER_INPUT
 */
export function checkTtl(ttlSeconds: number): void {
  const fault = ttlFault(ttlSeconds)
  if (fault !== undefined) throw bad(fault)
}

/** Input of an acquire. */
export interface AcquireInstanceInput {
  readonly entry: EntryId
  readonly name: string
  readonly ttlSeconds: number
  readonly metadata?: unknown
}

function bad(message: string): RegistryError {
  return new RegistryError('BAD_USER_INPUT', message)
}
