import { isJsonObject, type Json } from './json.js'

/**
 * The RFC 8785 form: keys by UTF-16 unit, numbers as JavaScript writes them (-0 as 0), no white space. Two
 * values have the same form if and only if `jsonEquals` says so. Recurses as deep as the value: content that
 * was sealed is no deeper than `SealRules.maxDepth`.
 */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (!isJsonObject(value)) {
    let text = '['
    for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + canonicalJson(value[i]!)
    return text + ']'
  }
  // The default order of `sort` is by UTF-16 unit, which is what the RFC asks for (and not our order of ids).
  const keys = Object.keys(value).sort()
  let text = '{'
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    text += (i === 0 ? '' : ',') + JSON.stringify(key) + ':' + canonicalJson(value[key]!)
  }
  return text + '}'
}

/** Equal by value: the order of keys does not matter, 1 equals 1.0 and 0 equals -0, arrays are ordered. */
export function jsonEquals(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isJsonObject(a)) {
    if (!isJsonObject(b)) return false
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length) return false
    // Own keys only: `b.__proto__` and `b.constructor` are there on every object.
    return keys.every((key) => Object.hasOwn(b, key) && jsonEquals(a[key]!, b[key]!))
  }
  if (isJsonObject(b) || a.length !== b.length) return false
  return a.every((element, i) => jsonEquals(element, b[i]!))
}
