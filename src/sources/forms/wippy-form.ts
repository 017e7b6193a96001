import type { Json, JsonObject } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { lookalikeFault, lookalikeKey } from './invisible-keys.js'
import type { Fault, Position, SourceDocument } from './source-document.js'
import { type Definition, type FormReading, setOwn } from './source-document.js'

const NAMESPACE: ReadonlySet<string> = new Set(['namespace'])
const DOCUMENT_KEYS: ReadonlySet<string> = new Set(['namespace', 'entries', 'name', 'kind', 'meta'])
/** The keys of an entry that are not part of its data. */
export const WIPPY_KEYS: ReadonlySet<string> = new Set(['name', 'kind', 'meta', 'data'])

/**
 * Reads the form of `_index.yaml`: a document with `namespace` and either `entries`, or `name` and `kind` at the top. The
 * document's `meta` is merged under each entry's, whose keys win. Returns undefined if the document has no namespace.
 */
export function readWippyForm(document: SourceDocument): FormReading | undefined {
  const { value } = document
  if (!isJsonObject(value)) return undefined
  const lookalike = lookalikeKey(value, Object.hasOwn(value, 'namespace') ? DOCUMENT_KEYS : NAMESPACE)
  if (lookalike !== undefined) return { definitions: [], faults: [lookalikeFault(lookalike, document, [lookalike])] }
  if (!Object.hasOwn(value, 'namespace')) return undefined
  const top = document.positionOf([])
  const failed = (message: string, position: Position = top): FormReading => ({
    definitions: [],
    faults: [{ ...position, message }],
  })

  const { namespace, entries, ...rest } = value
  const meta = Object.hasOwn(value, 'meta') ? value['meta']! : null
  if (typeof namespace !== 'string') return failed('the namespace must be text', document.positionOf(['namespace']))
  if (meta !== null && !isJsonObject(meta))
    return failed('the meta of the document must be an object', document.positionOf(['meta']))

  if (!Object.hasOwn(value, 'entries')) {
    // A document with only a namespace defines nothing, like an empty list of entries.
    if (!Object.hasOwn(value, 'name') && !Object.hasOwn(value, 'kind'))
      return { definitions: [], faults: [], namespace }
    return { definitions: [definition(namespace, rest, null, top)], faults: [], namespace }
  }
  if (entries === null) return { definitions: [], faults: [], namespace }
  if (!Array.isArray(entries)) return failed('entries must be a list', document.positionOf(['entries']))

  const definitions: Definition[] = []
  const faults: Fault[] = []
  entries.forEach((item: Json, index) => {
    const position = document.positionOf(['entries', index])
    const key = isJsonObject(item) ? lookalikeKey(item, WIPPY_KEYS) : undefined
    if (key !== undefined) faults.push(lookalikeFault(key, document, ['entries', index]))
    else if (isJsonObject(item)) definitions.push(definition(namespace, item, meta, position))
    else faults.push({ ...position, message: 'an entry must be an object with name and kind' })
  })
  return { definitions, faults, namespace }
}

function definition(ns: string, item: JsonObject, under: JsonObject | null, position: Position): Definition {
  const { name, kind, meta, ...others } = item
  const data = Object.hasOwn(item, 'data') ? item['data'] : others
  return { id: name === undefined ? undefined : { ns, name }, kind, meta: merged(under, meta), data, position }
}

function merged(under: JsonObject | null, meta: Json | undefined): Json | undefined {
  if (under === null) return meta
  if (meta === undefined || meta === null) return under
  // A value that is not an object is reported by a later check.
  if (!isJsonObject(meta)) return meta
  const result: Record<string, Json> = {}
  for (const source of [under, meta]) for (const key of Object.keys(source)) setOwn(result, key, source[key]!)
  return result
}
