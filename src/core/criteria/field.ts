import type { Content } from '../entry/entry.js'
import { type EntryId, nameOf, namespaceOf } from '../entry/entry-id.js'
import { isJsonObject, type Json, type JsonObject } from '../entry/json.js'

export const ROOT_FIELDS = ['id', 'ns', 'name', 'kind'] as const
export type RootField = (typeof ROOT_FIELDS)[number]

/** A field of an entry that criteria can test. */
export type Field =
  | { readonly root: RootField }
  /** A dotted path within meta. It is looked up both as a path through objects and as one flat key. */
  | { readonly meta: string }

/** The parts of an entry that criteria can test. */
export interface Matchable {
  readonly id: EntryId
  readonly content: Content
}

const ROOT_READERS: Record<RootField, (entry: Matchable) => string> = {
  id: (entry) => entry.id,
  ns: (entry) => namespaceOf(entry.id),
  name: (entry) => nameOf(entry.id),
  kind: (entry) => entry.content.kind,
}

/**
 * Compiles a field to a function that returns its values in an entry: none, one, or two. A dotted meta field has two
 * values if it exists both as a path (`{a: {b: 1}}`) and as a flat key (`{"a.b": 1}`).
 *
 * The flat key is the WHOLE text, directly in meta. Mixed forms (`{a: {"b.c": 1}}` for `a.b.c`) do not count. Paths go
 * through own keys of objects only, never into arrays.
 */
export function compileField(field: Field): (entry: Matchable) => readonly Json[] {
  if ('root' in field) {
    const read = ROOT_READERS[field.root]
    return (entry) => [read(entry)]
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
