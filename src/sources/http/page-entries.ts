import type { EntryId } from '../../core/entry-id.js'
import type { Json } from '../../core/json.js'
import { breather } from '../../registry/pause.js'
import { readEntryForm } from '../entry-form.js'
import type { MapDocument } from '../mapping.js'
import { checkDefinition, shownId, type SourceFailure } from '../parse-entry.js'
import type { Definition, FormReading, SourceDocument } from '../source-document.js'
import type { GivenEntry } from '../source-reader.js'
import type { EntrySchemas } from '../validate.js'
import { readWippyForm } from '../wippy-form.js'

/** How the parts of a page are read: each element of its list by itself, or the page whole. */
export type PageForm =
  | { readonly type: 'entry' }
  | { readonly type: 'wippy' }
  | { readonly type: 'mapping'; readonly map: MapDocument; readonly whole: boolean }

export interface PageEntries {
  readonly entries: readonly GivenEntry[]
  /** Each with the JSON pointer of its place in the page. */
  readonly failures: readonly SourceFailure[]
}

/** The page is no list, where it has to be one. */
export class NoList extends Error {}

/** What a page defines; what is wrong with one element stops no other. @throws NoList */
export async function pageEntries(location: string, document: SourceDocument, form: PageForm, schemas: EntrySchemas): Promise<PageEntries> {
  const entries = new Map<EntryId, GivenEntry>()
  const firstAt = new Map<EntryId, string>()
  const failures: SourceFailure[] = []
  const breathe = breather()
  for (const [pointer, part] of partsOf(document, form)) {
    await breathe()
    const fail = (message: string, entryId: string | null = null, at = pointer) => {
      failures.push({ file: location, line: null, column: null, entryId, message: `at ${at === '' ? 'the page as a whole' : at}: ${message}` })
    }
    const reading = await readPart(part, form, location)
    if (reading === undefined) {
      if (form.type === 'entry') fail('an entry must be an object with id and kind')
      continue
    }
    for (const { message } of reading.faults) fail(message)
    for (const definition of reading.definitions) take(definition, pointer, fail)
  }
  return { entries: [...entries.values()], failures }

  function take(definition: Definition, pointer: string, fail: (message: string, entryId: string | null, at?: string) => void): void {
    const checked = checkDefinition(definition)
    if ('faults' in checked) {
      for (const message of checked.faults) fail(message, shownId(definition.id))
      return
    }
    const { id, content } = checked
    const first = firstAt.get(id)
    if (first !== undefined) return fail(`defined a second time; ${first} has it first and counts`, id)
    const faults = schemas.faultsOf({ id, kind: content.kind, meta: content.meta, data: content.data })
    for (const fault of faults) {
      const told = fault.message.startsWith(`${fault.pointer} `) ? fault.message.slice(fault.pointer.length + 1) : fault.message
      fail(told, id, `${pointer}${fault.pointer}`)
    }
    // A definition that does not fit its schema still has the id: another one further on is a second one.
    firstAt.set(id, pointer)
    if (faults.length === 0) entries.set(id, { id, content, line: null })
  }
}

function* partsOf(document: SourceDocument, form: PageForm): Iterable<readonly [pointer: string, part: SourceDocument]> {
  if (form.type === 'mapping' && form.whole) return yield ['', document]
  const { value } = document
  if (!Array.isArray(value)) throw new NoList(`a page is a JSON array of entries; this is ${typeNameOf(value)}`)
  for (const [index, element] of (value as readonly Json[]).entries()) {
    const position = document.positionOf([index])
    yield [`/${index}`, { value: element, positionOf: () => position }]
  }
}

async function readPart(part: SourceDocument, form: PageForm, location: string): Promise<FormReading | undefined> {
  if (form.type === 'entry') return readEntryForm(part)
  if (form.type === 'wippy') return readWippyForm(part)
  // An element that is itself a list is one item, as any other.
  return form.map(Array.isArray(part.value) && !form.whole ? { ...part, value: [part.value] } : part, location)
}

function typeNameOf(value: Json): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
