import { RegistryError } from '../core/errors.js'
import { utf8Length } from '../core/text.js'

export const MAX_MESSAGE_BYTES = 65_536
export const MAX_IDEMPOTENCY_KEY_BYTES = 255
export const MAX_AUTHOR_BYTES = 1_024

const UNKEEPABLE = /[\u0000\p{Surrogate}]/u

/** A text that goes into history as it is. @throws RegistryError BAD_USER_INPUT naming the input */
export function callerText(input: string, text: string | null | undefined, maxBytes: number): string | null {
  if (text == null) return null
  if (UNKEEPABLE.test(text)) {
    throw new RegistryError('BAD_USER_INPUT', `${input} holds U+0000 or a lone surrogate, which cannot be kept; leave it out`)
  }
  const bytes = utf8Length(text)
  if (bytes <= maxBytes) return text
  throw new RegistryError('BAD_USER_INPUT', `${input} has ${bytes} bytes: ${maxBytes} at most, make it shorter`)
}

/** @throws RegistryError BAD_USER_INPUT where it is empty, too long or cannot be kept */
export function idempotencyKeyText(key: string | null | undefined): string | null {
  if (key === '') throw new RegistryError('BAD_USER_INPUT', 'idempotencyKey is empty: give a key of your own, or none')
  return callerText('idempotencyKey', key, MAX_IDEMPOTENCY_KEY_BYTES)
}
