import {
  type EntryId,
  entryIdOf,
  InvalidEntryId,
  namespaceFault,
  namespaceOf,
  parseEntryId,
} from '../entry/entry-id.js'
import type { ReferenceTarget } from './reference.js'

/** Words before the colon of a reference that do not name a namespace. */
const RESERVED_WORDS: Readonly<Record<string, (rest: string) => ReferenceTarget>> = {
  ns: (rest) => {
    const namespace = rest.normalize('NFC')
    return namespaceFault(namespace) === undefined ? { type: 'namespace', namespace } : NOTHING
  },
  // A group is named by a string in meta, which is stored unchanged, so it is not normalised.
  group: (rest) => (rest === '' ? NOTHING : { type: 'group', group: rest }),
}

const NOTHING: ReferenceTarget = { type: 'nothing' }

/** Resolves a reference in the entry `source`. A bare name is an entry of the same namespace. */
export function referenceTarget(source: EntryId, reference: string): ReferenceTarget {
  const colon = reference.indexOf(':')
  if (colon >= 0) {
    const word = reference.slice(0, colon)
    if (Object.hasOwn(RESERVED_WORDS, word)) return RESERVED_WORDS[word]!(reference.slice(colon + 1))
  }
  try {
    const id = colon < 0 ? entryIdOf(namespaceOf(source), reference) : parseEntryId(reference)
    return { type: 'entry', id }
  } catch (error) {
    if (error instanceof InvalidEntryId) return NOTHING
    throw error
  }
}
