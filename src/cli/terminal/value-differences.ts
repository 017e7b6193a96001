import { jsonEquals } from '../../core/entry/canonical-json.js'
import type { Json } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'

/** One place where two values differ. A side is undefined if it has no value there. */
export interface ValueDifference {
  /** For example `data.pool.max`. A key with a dot and an empty key are in brackets: `meta["a.b"]`. */
  readonly path: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/** The differences of two values. It descends while both are objects, or arrays of equal length. */
export function valueDifferences(path: string, before: Json, after: Json): ValueDifference[] {
  if (jsonEquals(before, after)) return []
  if (isJsonObject(before) && isJsonObject(after)) {
    const keys = [...Object.keys(before), ...Object.keys(after).filter((key) => !Object.hasOwn(before, key))]
    return keys.flatMap((key) => {
      const place = childPath(path, key)
      if (!Object.hasOwn(after, key)) return [{ path: place, before: before[key], after: undefined }]
      if (!Object.hasOwn(before, key)) return [{ path: place, before: undefined, after: after[key] }]
      return valueDifferences(place, before[key]!, after[key]!)
    })
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((element: Json, index) =>
      valueDifferences(`${path}[${index}]`, element, after[index] as Json),
    )
  }
  return [{ path, before, after }]
}

/** The leaves of a value, for a value that is new or removed as a whole. Empty containers are leaves too. */
export function leaves(path: string, value: Json): { path: string; value: Json }[] {
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    return Object.keys(value).flatMap((key) => leaves(childPath(path, key), value[key]!))
  }
  return [{ path, value }]
}

function childPath(path: string, key: string): string {
  return /^[^.[\]"\s]+$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`
}
