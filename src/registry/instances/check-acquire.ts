import type { EntryId } from '../../core/entry/entry-id.js'
import { instanceNameFault, metadataText, ttlFault } from '../../core/entry/instance.js'
import type { ValueLimits } from '../../core/entry/value-faults.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/** What an acquire asks for, its metadata as the text that is kept. @throws RegistryError BAD_USER_INPUT, TOO_LARGE */
export function checkAcquire(
  { name, ttlSeconds, metadata }: Omit<AcquireInstanceInput, 'entry'>,
  limits: ValueLimits,
): string | null {
  const fault = instanceNameFault(name)
  if (fault !== undefined) throw bad(`the instance's name cannot be used: ${fault}`)
  checkTtl(ttlSeconds)
  const kept = metadataText(metadata, limits)
  if ('text' in kept) return kept.text
  const [first] = kept.faults
  throw new RegistryError(first!.code === 'TOO_LARGE' ? 'TOO_LARGE' : 'BAD_USER_INPUT', first!.message)
}

/** @throws RegistryError BAD_USER_INPUT */
export function checkTtl(ttlSeconds: number): void {
  const fault = ttlFault(ttlSeconds)
  if (fault !== undefined) throw bad(fault)
}

export interface AcquireInstanceInput {
  readonly entry: EntryId
  readonly name: string
  readonly ttlSeconds: number
  readonly metadata?: unknown
}

function bad(message: string): RegistryError {
  return new RegistryError('BAD_USER_INPUT', message)
}
