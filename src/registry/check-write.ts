import { RegistryError } from '../core/errors.js'
import { utf8Length } from '../core/text.js'
import type { ApplyChangesetInput, ApplyVersionInput, WriteContext } from './registry.js'

/** What a caller may say beside the operations, in bytes of UTF-8. */
export const LONGEST_TEXT = { author: 255, message: 64 * 1024, idempotencyKey: 255 } as const

// eslint-disable-next-line no-control-regex
const NOT_KEPT = /[\u0000\p{Surrogate}]/u

/** What is said beside the operations must be text that can be kept. @throws RegistryError BAD_USER_INPUT */
export function checkWrite({ message, idempotencyKey }: ApplyChangesetInput | ApplyVersionInput, { author }: WriteContext): void {
  for (const [name, text] of Object.entries({ author, message, idempotencyKey })) {
    if (text === null || text === undefined) continue
    const longest = LONGEST_TEXT[name as keyof typeof LONGEST_TEXT]
    if (NOT_KEPT.test(text)) throw bad(`${name} holds U+0000 or a lone surrogate, which cannot be kept`)
    if (utf8Length(text) > longest) throw bad(`${name} takes ${utf8Length(text)} bytes; it may take ${longest}`)
  }
  if (idempotencyKey === '') throw bad('idempotencyKey is empty; send one of your own making, or none')
}

function bad(message: string): RegistryError {
  return new RegistryError('BAD_USER_INPUT', message)
}
