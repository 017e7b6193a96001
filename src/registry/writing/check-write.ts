import { utf8Length } from '../../core/entry/text.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { tagNameFault } from '../../core/history/tag.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'
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
 * Checks that a version that exists can be applied or reverted. A registry without history lists its versions, but has
 * neither their changesets nor any state but the head's.
 * @param what - What is needed of the version
 * @throws RegistryError HISTORY_NOT_KEPT
 */
export async function checkIsStored(
  history: HistoryReader,
  version: number,
  what: 'state' | 'changeset',
): Promise<void> {
  if (history.hasHistory) return
  // The root has no changeset anywhere, which the store reports.
  const exempt = what === 'state' ? (await history.head()).version : 0
  if (version === exempt) return
  if (version < 0 || !(await history.versions([version])).has(version)) return
  throw new RegistryError(
    'HISTORY_NOT_KEPT',
    `The content of version ${version} is not stored: this registry stores no history (CADASTRE_STORE=none), only its current state.`,
  )
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
