import { type EntryId, InvalidEntryId, parseEntryId, type SubmittedId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/**
 * Parses an entry id.
 * @param input - The name of the argument, for the error message
 * @throws RegistryError BAD_USER_INPUT that names the argument and the broken rule
 */
export function entryIdFrom(submitted: SubmittedId, input = 'id'): EntryId {
  try {
    return parseEntryId(submitted)
  } catch (error) {
    if (error instanceof InvalidEntryId) throw new RegistryError('BAD_USER_INPUT', `${input}: ${error.message}`)
    throw error
  }
}
