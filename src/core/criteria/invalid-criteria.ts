import { RegistryError } from '../errors/registry-error.js'

/** The one fault of criteria: `key` is the find key, or where in the filter it stands, e.g. `or[1].kind.regex`. */
export function invalidCriteria(key: string, why: string): RegistryError {
  // A message must itself be text that can be sent.
  const readable = (key.length > 120 ? `${key.slice(0, 117)}…` : key).replace(/[\p{Cc}\p{Surrogate}]/gu, '\ufffd')
  return new RegistryError('INVALID_CRITERIA', `criteria "${readable}": ${why}`, { key: readable })
}

/** The type of a value, in words for such a fault. */
export function typeInWords(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
