import type { EntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import { timeSlicer } from '../../registry/async/pause.js'
import type { SourceFailure } from '../contract/source-failure.js'
import type { LocationEntry } from '../contract/source-reader.js'
import { type CheckedDefinitions, checkDefinitions, type DefinitionRules } from './check-definitions.js'
import type { SourceDocument } from './source-document.js'
import { compileForm, type ReadForm, type SourceForm } from './source-form.js'

/** How pages are read. */
export interface PageForm {
  readonly read: ReadForm
  /** Each element of the page's list by itself; else a mapping says itself which items there are. */
  readonly isList: boolean
  /** What an element that is none is told; undefined passes it over. */
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

/** The page is no list, where it has to be one. */
export class NotAList extends Error {}

/** What a page defines. What is wrong with one element stops no other, and is told with its JSON pointer. @throws NoList */
export async function pageEntries(
  location: string,
  document: SourceDocument,
  form: PageForm,
  rules: Omit<DefinitionRules, 'form' | 'withLines'>,
): Promise<CheckedDefinitions> {
  const entries = new Map<EntryId, LocationEntry>()
  const firstAt = new Map<EntryId, string>()
  const failures: SourceFailure[] = []
  const yieldToEventLoop = timeSlicer()
  for (const [pointer, part] of partsOf(document, form)) {
    await yieldToEventLoop()
    let isRead = false
    const read: ReadForm = async (...given) => {
      const reading = await form.read(...given)
      isRead = reading !== undefined
      return reading
    }
    const fail = (failure: Omit<SourceFailure, 'file' | 'line' | 'column'>) =>
      failures.push({
        ...failure,
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
        fail({ entryId: entry.id, message: `defined a second time; ${first} has it first and counts` })
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
  if (!Array.isArray(value)) throw new NotAList(`a page is a JSON array of entries; this is ${typeNameOf(value)}`)
  for (const [index, element] of (value as readonly Json[]).entries()) {
    const position = document.positionOf([index])
    // An element that is itself a list is one element all the same.
    yield [`/${index}`, { value: Array.isArray(element) ? [element] : element, positionOf: () => position }]
  }
}

function typeNameOf(value: Json): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
