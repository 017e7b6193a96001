import type { Json } from '../entry/json.js'

const UNSTORABLE = /[\0\p{Surrogate}]/u

/**
 * Whether content can hold this text. U+0000 and lone surrogates are refused when content is written, so a condition with
 * one of them matches nothing. It must be checked before matching: in JavaScript half of a surrogate pair is a substring of
 * the whole, and a database does not accept it.
 */
export function isStorableText(text: string): boolean {
  return !UNSTORABLE.test(text)
}

/** Whether content can hold this value. It recurses as deep as the value, at most `MAX_VALUE_NESTING`. */
export function isStorable(value: Json): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => isStorableText(name) && isStorable(member as Json))
}
