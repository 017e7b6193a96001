import { utf8Length } from '../../core/entry/text.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { tagNameFault } from '../../core/history/tag.js'
import type { ApplyChangesetInput, ApplyVersionInput, RevertVersionInput, WriteContext } from './write-input.js'

/** What a caller may say beside the operations, in bytes of UTF-8. */
export const LONGEST_TEXT = { author: 255, message: 64 * 1024, idempotencyKey: 255 } as const

const NOT_KEPT = /[\u0000\p{Surrogate}]/u

/** What is said beside the operations must be text that can be kept. @throws RegistryError BAD_USER_INPUT */
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
    if (NOT_KEPT.test(text)) throw bad(`${name} holds U+0000 or a lone surrogate, which cannot be kept`)
    if (utf8Length(text) > longest) throw bad(`${name} takes ${utf8Length(text)} bytes; it may take ${longest}`)
  }
  if (idempotencyKey === '') throw bad('idempotencyKey is empty; send one of your own making, or none')
}

/** @throws RegistryError BAD_USER_INPUT */
export function checkTagName(name: string): void {
  const fault = tagNameFault(name)
  if (fault !== undefined) throw bad(`the tag's name cannot be used: ${fault}`)
}

function bad(message: string): RegistryError {
  return new RegistryError('BAD_USER_INPUT', message)
}
