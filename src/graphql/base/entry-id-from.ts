import { type EntryId, InvalidEntryId, parseEntryId, type SubmittedId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/** Reads an id where nothing but an id will do. @throws RegistryError BAD_USER_INPUT naming the input and the broken rule */
export function entryIdFrom(submitted: SubmittedId, input = 'id'): EntryId {
  try {
    return parseEntryId(submitted)
  } catch (error) {
    if (error instanceof InvalidEntryId) throw new RegistryError('BAD_USER_INPUT', `${input}: ${error.message}`)
    throw error
  }
}
