import { isJsonObject, type Json } from './json.js'

/*
 * JSON has a form for -0, `JSON.parse` reads it, and only `JSON.stringify` loses it. So where a value holds one,
 * a text that no kept value may hold (it begins with U+0000) stands for it while the value is written down.
 */

export function holdsNegativeZero(value: Json): boolean {
  if (typeof value === 'number') return Object.is(value, -0)
  if (typeof value !== 'object' || value === null) return false
  if (!isJsonObject(value)) return value.some(holdsNegativeZero)
  for (const key of Object.keys(value)) if (holdsNegativeZero(value[key]!)) return true
  return false
}

/** The same value with `mark` for every -0. */
export function withMarks(value: Json, mark: string): Json {
  if (Object.is(value, -0)) return mark
  if (typeof value !== 'object' || value === null) return value
  if (!isJsonObject(value)) return value.map((item) => withMarks(item, mark))
  // Unlike assignment, fromEntries makes `__proto__` an own key.
  return Object.fromEntries(Object.keys(value).map((key) => [key, withMarks(value[key]!, mark)]))
}

/** JSON text with its marks taken back to -0. */
export function withoutMarks(text: string, mark: string): string {
  const written = JSON.stringify(mark)
  return text.includes(written) ? text.replaceAll(written, '-0') : text
}

const MARK = '\u0000-0'

/** The JSON text of a value without U+0000, -0 included. Recurses as deep as the value. */
export function jsonText(value: Json): string {
  return holdsNegativeZero(value) ? withoutMarks(JSON.stringify(withMarks(value, MARK)), MARK) : JSON.stringify(value)
}
