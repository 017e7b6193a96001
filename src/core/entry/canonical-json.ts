import { isJsonObject, type Json } from './json.js'

/**
 * Prints the RFC 8785 form: keys by UTF-16 unit, numbers as JavaScript writes them (-0 as 0), no white space. Two values
 * have the same form if and only if `jsonEquals` holds. It recurses as deep as the value. Sealed content is no deeper
 * than `SealRules.maxDepth`.
 */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (!isJsonObject(value)) {
    let text = '['
    for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + canonicalJson(value[i]!)
    return text + ']'
  }
  // The default order of `sort` is by UTF-16 unit, as the RFC requires. Ids are ordered differently.
  const keys = Object.keys(value).sort()
  let text = '{'
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    text += (i === 0 ? '' : ',') + JSON.stringify(key) + ':' + canonicalJson(value[key]!)
  }
  return text + '}'
}

/** Compares by value: key order does not matter, 1 equals 1.0, 0 equals -0, arrays are ordered. */
export function jsonEquals(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isJsonObject(a)) {
    if (!isJsonObject(b)) return false
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length) return false
    // Own keys only: every object has `__proto__` and `constructor`.
    return keys.every((key) => Object.hasOwn(b, key) && jsonEquals(a[key]!, b[key]!))
  }
  if (isJsonObject(b) || a.length !== b.length) return false
  return a.every((element, i) => jsonEquals(element, b[i]!))
}
