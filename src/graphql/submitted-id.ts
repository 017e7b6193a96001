import { InvalidEntryId, parseEntryId, type EntryId, type SubmittedId } from '../core/entry-id.js'
import { RegistryError } from '../core/errors.js'

/** Reads an id where nothing but an id will do. @throws RegistryError BAD_USER_INPUT naming the input and the broken rule */
export function entryIdFrom(submitted: SubmittedId, input = 'id'): EntryId {
  try {
    return parseEntryId(submitted)
  } catch (error) {
    if (error instanceof InvalidEntryId) throw new RegistryError('BAD_USER_INPUT', `${input}: ${error.message}`)
    throw error
  }
}
