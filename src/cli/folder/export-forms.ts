import { nameOf } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { jsonText } from '../../core/entry/negative-zero.js'
import { visibleKey } from '../../sources/forms/invisible-keys.js'
import { setOwn } from '../../sources/forms/source-document.js'
import { WIPPY_KEYS } from '../../sources/forms/wippy-form.js'
import type { StoredEntry } from '../gateway/gateway-queries.js'
import { printable } from '../terminal/printable.js'
import { yamlText } from '../terminal/yaml-text.js'

export type ExportForm = 'wippy' | 'entry'

interface Form {
  readonly fileName: string
  /** The first lines of a namespace's file. */
  heading(namespace: string): string
  /** One entry, including its line ends. */
  entry(entry: StoredEntry): string
}

/** The forms in which a namespace is exported. `apply` reads the same entries back. */
export const EXPORT_FORMS: Record<ExportForm, Form> = {
  wippy: {
    fileName: '_index.yaml',
    heading: (namespace) => `${yamlText({ version: '1.0', namespace }, namespace)}entries:\n`,
    entry: (entry) => yamlText([wippyItem(entry)], printable(entry.entryId)).replace(/^(?=.)/gm, '  '),
  },
  entry: {
    fileName: 'entries.jsonl',
    heading: () => '',
    entry: ({ entryId, kind, meta, data }) => `${jsonText({ id: entryId, kind, meta, data })}\n`,
  },
}

/** An entry in the wippy form. Keys of data are written next to name and kind, unless one of them has that name. */
function wippyItem({ entryId, kind, meta, data = null }: StoredEntry): Json {
  const item: Record<string, Json> = { name: nameOf(entryId), kind }
  if (isJsonObject(meta) && Object.keys(meta).length > 0) item['meta'] = meta
  const spreads = isJsonObject(data) && !Object.keys(data).some((key) => WIPPY_KEYS.has(visibleKey(key)))
  if (!spreads) item['data'] = data
  else for (const key of Object.keys(data)) setOwn(item, key, data[key]!)
  return item
}
