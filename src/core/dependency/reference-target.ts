import {
  type EntryId,
  entryIdOf,
  InvalidEntryId,
  namespaceFault,
  namespaceOf,
  parseEntryId,
} from '../entry/entry-id.js'
import type { ReferenceTarget } from './reference.js'

/** What stands before the colon of a reference and is no namespace. */
const RESERVED_WORDS: Readonly<Record<string, (rest: string) => ReferenceTarget>> = {
  ns: (rest) => {
    const namespace = rest.normalize('NFC')
    return namespaceFault(namespace) === undefined ? { type: 'namespace', namespace } : NOTHING
  },
  // A group is named by a string within meta, which is kept as it came: no form to bring it into.
  group: (rest) => (rest === '' ? NOTHING : { type: 'group', group: rest }),
}

const NOTHING: ReferenceTarget = { type: 'nothing' }

/** What a reference means that stands in the entry `source`: a bare name is one of the same namespace. */
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
