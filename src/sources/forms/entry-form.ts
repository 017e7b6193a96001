import type { JsonObject } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { lookalikeFault, lookalikeKey, visibleKey } from './invisible-keys.js'
import type { Definition, FormReading, SourceDocument } from './source-document.js'

const FIELDS = new Set(['id', 'kind', 'meta', 'data'])
/** Fields that reads return besides the content. They are ignored, so that an exported entry can be applied again. */
const READ_ONLY_FIELDS = new Set(['ns', 'name', 'digest', 'revision', 'version'])

/** Reads the entry form: `{id, kind, meta, data}`, one or a list. Undefined if the document has another form. */
export function readEntryForm(document: SourceDocument): FormReading | undefined {
  const { value } = document
  if (isJsonObject(value)) {
    if (isEntry(value)) return gather([[value, document.positionOf([])]])
    const key = hiddenKey(value)
    return key === undefined ? undefined : { definitions: [], faults: [lookalikeFault(key, document, [key])] }
  }
  if (!Array.isArray(value)) return undefined
  if (!value.some((item) => isJsonObject(item) && (isEntry(item) || hiddenKey(item) !== undefined))) return undefined
  return gather(value.map((item, index) => [item, document.positionOf([index])]))
}

function isEntry(value: JsonObject): boolean {
  return Object.hasOwn(value, 'id') && ['kind', 'meta', 'data'].some((field) => Object.hasOwn(value, field))
}

/** The key because of which an object is not an entry, if only invisible characters prevent it. */
function hiddenKey(value: JsonObject): string | undefined {
  const key = lookalikeKey(value, FIELDS)
  if (key === undefined) return undefined
  const visible = Object.fromEntries(Object.keys(value).map((each) => [visibleKey(each), null]))
  return isEntry(visible) ? key : undefined
}

function gather(items: readonly (readonly [unknown, { line: number; column: number }])[]): FormReading {
  const definitions: Definition[] = []
  const faults: { line: number; column: number; message: string }[] = []
  for (const [item, position] of items) {
    if (!isJsonObject(item)) {
      faults.push({ ...position, message: 'an entry must be an object with id and kind' })
      continue
    }
    const unknown = Object.keys(item).find((key) => !FIELDS.has(key) && !READ_ONLY_FIELDS.has(key))
    if (unknown !== undefined) {
      faults.push({
        ...position,
        message: `${JSON.stringify(unknown)} is not a field of an entry. Valid fields: id, kind, meta, data`,
      })
      continue
    }
    definitions.push({ id: item['id'], kind: item['kind'], meta: item['meta'], data: item['data'], position })
  }
  return { definitions, faults }
}
