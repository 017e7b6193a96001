import type { Json } from '../entry/json.js'

const UNKEPT = /[\0\p{Surrogate}]/u

/**
 * Whether content can hold this text: U+0000 and lone surrogates are refused when content is written, so a
 * condition with one of them matches nothing. It must be known before looking: to JavaScript half of a
 * pair is a substring of the whole, to a database it cannot even be sent.
 */
export function isStorableText(text: string): boolean {
  return !UNKEPT.test(text)
}

/** The same for a value; as deep as `MAX_VALUE_NESTING` lets it be. */
export function isStorable(value: Json): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => isStorableText(name) && isStorable(member as Json))
}
