import { isJsonObject, type Json } from './json.js'

/*
 * JSON can express -0 and `JSON.parse` reads it. Only `JSON.stringify` loses it. So a marker stands for -0 while a value
 * is printed. It begins with U+0000, which no stored text can hold, and is longer than any such text in the value.
 */

export function holdsNegativeZero(value: Json): boolean {
  if (typeof value === 'number') return Object.is(value, -0)
  if (typeof value !== 'object' || value === null) return false
  if (!isJsonObject(value)) return value.some(holdsNegativeZero)
  for (const key of Object.keys(value)) if (holdsNegativeZero(value[key]!)) return true
  return false
}

/** Replaces every -0 with `mark`. */
export function withMarks(value: Json, mark: string): Json {
  if (Object.is(value, -0)) return mark
  if (typeof value !== 'object' || value === null) return value
  if (!isJsonObject(value)) return value.map((item) => withMarks(item, mark))
  // Unlike assignment, fromEntries makes `__proto__` an own key.
  return Object.fromEntries(Object.keys(value).map((key) => [key, withMarks(value[key]!, mark)]))
}

/** Replaces the marks in a JSON text with -0. */
export function withoutMarks(text: string, mark: string): string {
  const written = JSON.stringify(mark)
  return text.includes(written) ? text.replaceAll(written, '-0') : text
}

const MARK = '\u0000-0'

/** Prints a value as JSON like `JSON.stringify`, but with -0. It recurses as deep as the value. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent)
  if (!holdsNegativeZero(value as Json)) return text
  let mark = MARK
  while (text.includes(JSON.stringify(mark).slice(1, -1))) mark += '-'
  return withoutMarks(JSON.stringify(withMarks(value as Json, mark), null, indent), mark)
}
