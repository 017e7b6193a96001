import type { EntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import type { SealRules } from '../../core/entry/seal-content.js'
import { inSlices } from '../../store/coalescing/time-slices.js'
import type { SourceFailure } from '../contract/source-failure.js'
import type { LocationEntry } from '../contract/source-reader.js'
import type { EntrySchemas } from './entry-schemas.js'
import { checkDefinition, shownId } from './parse-entries.js'
import type { Definition, ParsedText } from './source-document.js'
import type { ReadForm } from './source-form.js'

/** The rules that definitions of a source are checked against. */
export interface DefinitionRules {
  readonly form: ReadForm
  readonly schemas: Pick<EntrySchemas, 'faultsOf'>
  readonly seal: SealRules
  /** False if lines are meaningless to the author of the content, as in JSON from the network. */
  readonly withLines: boolean
  /** Further variables and functions for the expressions of a mapping. */
  readonly bindings?: Readonly<Record<string, unknown>>
  /** Replaces references by the content of files, or returns the faults. */
  readonly complete?: (
    definition: Definition,
  ) => Promise<{ readonly definition: Definition } | { readonly faults: readonly string[] }>
}

export interface CheckedDefinitions {
  readonly entries: readonly LocationEntry[]
  readonly failures: readonly SourceFailure[]
}

/**
 * Checks the definitions of one location, also against the schemas of their kinds. A fault becomes a failure and does not
 * stop the rest. If the location defines an id twice, the first definition counts.
 */
export async function checkDefinitions(
  location: string,
  { documents, faults }: ParsedText,
  rules: DefinitionRules,
): Promise<CheckedDefinitions> {
  const entries = new Map<EntryId, LocationEntry>()
  const failures: SourceFailure[] = []
  let definition = 0
  const fail = (
    place: { readonly line: number; readonly column: number },
    message: string,
    entryId: string | null = null,
  ) => {
    const { line, column } = rules.withLines ? place : { line: null, column: null }
    failures.push({ file: location, line, column, entryId, message, ...(definition > 0 && { definition }) })
  }
  const take = async (given: Definition) => {
    const { position } = given
    definition++
    const completed = rules.complete === undefined ? { definition: given } : await rules.complete(given)
    const checked =
      'faults' in completed ? completed : await inSlices(checkDefinition(completed.definition, rules.seal))
    if ('faults' in checked) {
      for (const message of checked.faults) fail(position, message, shownId(given.id))
      return
    }
    const { id, content } = checked
    const { meta, data } = (completed as { definition: Definition }).definition
    const value = { id, kind: content.kind, meta: (meta ?? {}) as Json, data: (data ?? null) as Json }
    const invalid = rules.schemas.faultsOf(value)
    for (const { message } of invalid) fail(position, message, value.id)
    if (invalid.length > 0) return
    const first = entries.get(id)
    if (first === undefined) entries.set(id, { id, content, line: rules.withLines ? position.line : null })
    else
      fail(
        position,
        `is already defined ${first.line === null ? 'before' : `in line ${first.line}`}, which counts`,
        value.id,
      )
  }

  for (const { message, ...place } of faults) fail(place, message)
  for (const document of documents) {
    const reading = await rules.form(document, location, rules.bindings)
    for (const { message, ...place } of reading?.faults ?? []) {
      definition++
      fail(place, message)
    }
    for (const definition of reading?.definitions ?? []) await take(definition)
  }
  return { entries: [...entries.values()], failures }
}
