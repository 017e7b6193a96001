import {
  type EntryId,
  InvalidEntryId,
  parseEntryId,
  parseStoredEntryId,
  type SubmittedId,
  storedIdFault,
} from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/**
 * Parses an entry id.
 * @param input - The name of the argument, for the error message
 * @throws RegistryError BAD_USER_INPUT that names the argument and the broken rule
 */
export function entryIdFrom(submitted: SubmittedId, input = 'id'): EntryId {
  return parsed(parseEntryId, submitted, input)
}

/**
 * Parses the id of an entry to read. The entry may have been stored before its id would be refused.
 * @throws RegistryError BAD_USER_INPUT
 */
export function storedEntryIdFrom(submitted: SubmittedId, input = 'id'): EntryId {
  return parsed(parseReadable, submitted, input)
}

/**
 * Returns what was read under an id of `storedEntryIdFrom`. Nothing was read for an id that no entry can have, unless it
 * was stored long ago.
 * @throws RegistryError BAD_USER_INPUT if nothing was read and the id would be refused
 */
export function foundUnder<Found>(id: EntryId, found: Found | null, input = 'id'): Found | null {
  const fault = found === null ? storedIdFault(id) : undefined
  if (fault !== undefined) throw new RegistryError('BAD_USER_INPUT', `${input}: ${fault}`)
  return found
}

/** Nearly all ids are valid, and `parseStoredEntryId` takes twice as long. */
function parseReadable(submitted: SubmittedId): EntryId {
  try {
    return parseEntryId(submitted)
  } catch (error) {
    if (error instanceof InvalidEntryId) return parseStoredEntryId(submitted)
    throw error
  }
}

function parsed(parse: (submitted: SubmittedId) => EntryId, submitted: SubmittedId, input: string): EntryId {
  try {
    return parse(submitted)
  } catch (error) {
    if (error instanceof InvalidEntryId) throw new RegistryError('BAD_USER_INPUT', `${input}: ${error.message}`)
    throw error
  }
}
