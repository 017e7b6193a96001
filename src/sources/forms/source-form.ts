import { readEntryForm } from './entry-form.js'
import type { MappingExpressions } from './mapping.js'
import { compileMapping } from './mapping.js'
import type { FormReading, SourceDocument } from './source-document.js'
import { readWippyForm } from './wippy-form.js'

/** How a source's documents are to be read. */
export type SourceForm = 'wippy' | 'entry' | MappingExpressions

/**
 * What a form makes of a document; undefined where it is something else and is passed over.
 * @param bindings what a mapping's expressions may use besides: values and functions by name
 */
export type ReadForm = (
  document: SourceDocument,
  location: string,
  bindings?: Readonly<Record<string, unknown>>,
) => FormReading | undefined | Promise<FormReading | undefined>

const NAMED: Readonly<Record<Extract<SourceForm, string>, ReadForm>> = { wippy: readWippyForm, entry: readEntryForm }

/** @throws InvalidMapping where an expression does not parse */
export function compileForm(form: SourceForm): ReadForm {
  return typeof form === 'string' ? NAMED[form] : compileMapping(form)
}
