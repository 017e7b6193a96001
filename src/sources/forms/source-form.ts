import { readEntryForm } from './entry-form.js'
import type { MappingExpressions } from './mapping.js'
import { compileMapping } from './mapping.js'
import type { FormReading, SourceDocument } from './source-document.js'
import { readWippyForm } from './wippy-form.js'

/** The form of a source's documents. */
export type SourceForm = 'wippy' | 'entry' | MappingExpressions

/**
 * Reads a document. Returns undefined if it has another form and is skipped.
 * @param bindings further values and functions, by name, for the expressions of a mapping
 */
export type ReadForm = (
  document: SourceDocument,
  location: string,
  bindings?: Readonly<Record<string, unknown>>,
) => FormReading | undefined | Promise<FormReading | undefined>

const NAMED_FORMS: Readonly<Record<Extract<SourceForm, string>, ReadForm>> = {
  wippy: readWippyForm,
  entry: readEntryForm,
}

/** @throws InvalidMapping if an expression does not parse */
export function compileForm(form: SourceForm): ReadForm {
  return typeof form === 'string' ? NAMED_FORMS[form] : compileMapping(form)
}
