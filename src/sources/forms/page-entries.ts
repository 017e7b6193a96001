import type { EntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import { pauseIfDue } from '../../store/coalescing/time-slices.js'
import type { SourceFailure } from '../contract/source-failure.js'
import type { LocationEntry } from '../contract/source-reader.js'
import { type CheckedDefinitions, checkDefinitions, type DefinitionRules } from './check-definitions.js'
import type { SourceDocument } from './source-document.js'
import { compileForm, type ReadForm, type SourceForm } from './source-form.js'

/** The form of a page of an HTTP registry. */
export interface PageForm {
  readonly read: ReadForm
  /** Whether each element of the page's list is read by itself. Otherwise the mapping selects the items. */
  readonly isList: boolean
  /** The failure of an element that is not an entry. Undefined skips such elements. */
  readonly expected: string | undefined
}

/** @throws InvalidMapping */
export function pageForm(form: SourceForm): PageForm {
  return {
    read: compileForm(form),
    isList: typeof form === 'string' || form.each === undefined,
    expected: form === 'entry' ? 'an entry must be an object with id and kind' : undefined,
  }
}

/** The page is not a list, although its form requires one. */
export class NotAList extends Error {}

/** Reads the entries of a page. A fault of one element does not stop the others, and has its JSON pointer. @throws NotAList */
export async function pageEntries(
  location: string,
  document: SourceDocument,
  form: PageForm,
  rules: Omit<DefinitionRules, 'form' | 'withLines'>,
): Promise<CheckedDefinitions> {
  const entries = new Map<EntryId, LocationEntry>()
  const firstAt = new Map<EntryId, string>()
  const failures: SourceFailure[] = []
  let number = 0
  for (const [pointer, part] of partsOf(document, form)) {
    number++
    await pauseIfDue()
    let isRead = false
    const read: ReadForm = async (...given) => {
      const reading = await form.read(...given)
      isRead = reading !== undefined
      return reading
    }
    const fail = (failure: Omit<SourceFailure, 'file' | 'line' | 'column'>) =>
      failures.push({
        ...failure,
        // Elements are numbered by themselves; only one part holds several definitions.
        definition: form.isList ? number : (failure.definition ?? number),
        file: location,
        line: null,
        column: null,
        message: pointer === '' ? failure.message : `at ${pointer}: ${failure.message}`,
      })
    const given = await checkDefinitions(
      location,
      { documents: [part], faults: [] },
      { ...rules, form: read, withLines: false },
    )
    if (!isRead && form.expected !== undefined) fail({ entryId: null, message: form.expected })
    given.failures.forEach(fail)
    for (const entry of given.entries) {
      const first = firstAt.get(entry.id)
      if (first !== undefined) {
        fail({ entryId: entry.id, message: `is already defined at ${first}, which counts` })
        continue
      }
      firstAt.set(entry.id, pointer)
      entries.set(entry.id, entry)
    }
  }
  return { entries: [...entries.values()], failures }
}

function* partsOf(
  document: SourceDocument,
  { isList }: PageForm,
): Iterable<readonly [pointer: string, part: SourceDocument]> {
  if (!isList) return yield ['', document]
  const { value } = document
  if (!Array.isArray(value)) throw new NotAList(`is ${typeNameOf(value)}, but a page must be a JSON array of entries`)
  for (const [index, element] of (value as readonly Json[]).entries()) {
    const position = document.positionOf([index])
    // An element that is a list is still one element.
    yield [`/${index}`, { value: Array.isArray(element) ? [element] : element, positionOf: () => position }]
  }
}

function typeNameOf(value: Json): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
