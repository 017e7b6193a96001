import type { Content } from '../entry/entry.js'
import { type EntryId, nameOf, namespaceOf } from '../entry/entry-id.js'
import { isJsonObject, type Json, type JsonObject } from '../entry/json.js'
import type { Field, RootField } from './criteria.js'

/** What criteria look at. */
export interface Matchable {
  readonly id: EntryId
  readonly content: Content
}

const ROOT_VALUES: Record<RootField, (entry: Matchable) => string> = {
  id: (entry) => entry.id,
  ns: (entry) => namespaceOf(entry.id),
  name: (entry) => nameOf(entry.id),
  kind: (entry) => entry.content.kind,
}

/**
 * How to find what an entry holds in a field: nothing, one value, or two where a dotted meta field is there both as
 * a path (`{a: {b: 1}}`) and as a flat key (`{"a.b": 1}`). The flat key is the WHOLE of the text, of meta itself:
 * mixed forms (`{a: {"b.c": 1}}` for `a.b.c`) are not looked for. Paths go through objects only, by own keys only.
 */
export function compileField(field: Field): (entry: Matchable) => readonly Json[] {
  if ('root' in field) {
    const rootValue = ROOT_VALUES[field.root]
    return (entry) => [rootValue(entry)]
  }
  const key = field.meta
  const path = key.split('.')
  if (path.length === 1) return ({ content: { meta } }) => (Object.hasOwn(meta, key) ? [meta[key]!] : [])
  return ({ content: { meta } }) => {
    const atPath = valueAt(meta, path)
    if (!Object.hasOwn(meta, key)) return atPath === undefined ? [] : [atPath]
    return atPath === undefined ? [meta[key]!] : [atPath, meta[key]!]
  }
}

function valueAt(meta: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json = meta
  for (const segment of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, segment)) return undefined
    value = value[segment]!
  }
  return value
}
