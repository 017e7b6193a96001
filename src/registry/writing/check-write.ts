import { utf8Length } from '../../core/entry/text.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { tagNameFault } from '../../core/history/tag.js'
import type { ApplyChangesetInput, ApplyVersionInput, RevertVersionInput, WriteContext } from './write-input.js'

/** Longest texts of a write besides its operations, in bytes of UTF-8. */
export const LONGEST_TEXT = { author: 255, message: 64 * 1024, idempotencyKey: 255 } as const

const NOT_STORABLE = /[\u0000\p{Surrogate}]/u

/**
 * Checks that the texts besides the operations can be stored.
 * @throws RegistryError BAD_USER_INPUT
 */
export function checkWrite(
  {
    message,
    idempotencyKey,
  }: Pick<ApplyChangesetInput | ApplyVersionInput | RevertVersionInput, 'message' | 'idempotencyKey'>,
  { author }: WriteContext,
): void {
  for (const [name, text] of Object.entries({ author, message, idempotencyKey })) {
    if (text === null || text === undefined) continue
    const longest = LONGEST_TEXT[name as keyof typeof LONGEST_TEXT]
    if (NOT_STORABLE.test(text)) throw bad(`${name} holds U+0000 or a lone surrogate, which cannot be stored.`)
    if (utf8Length(text) > longest) throw bad(`${name} has ${utf8Length(text)} bytes. It may have ${longest}.`)
  }
  if (idempotencyKey === '') throw bad('idempotencyKey is empty. Send a unique text, or omit it.')
}

/**
 * Checks the name of a tag.
 * @throws RegistryError BAD_USER_INPUT
 */
export function checkTagName(name: string): void {
  const fault = tagNameFault(name)
  if (fault !== undefined) throw bad(`The name of the tag is not valid: ${fault}.`)
}

function bad(message: string): RegistryError {
  return new RegistryError('BAD_USER_INPUT', message)
}
