import { RegistryError } from '../errors/registry-error.js'
import { ROOT_FIELDS } from './field.js'

/**
 * Makes the error for criteria that cannot be understood.
 * @param key the key of `find`, or the path within `where`, e.g. `or[1].kind.regex`
 * @param why what is wrong there, as the end of a sentence
 */
export function invalidCriteria(key: string, why: string): RegistryError {
  return criteriaError(key, `Invalid criteria at "${printable(key)}": ${why}.`)
}

/** Makes the error for a root field that does not exist, e.g. `.knd`. */
export function unknownField(key: string, field: string): RegistryError {
  const place = key === field ? '' : ` in "${printable(key)}"`
  const valid = ROOT_FIELDS.map((root) => `.${root}`).join(', ')
  return criteriaError(key, `Unknown field "${printable(field)}"${place}. Valid fields: ${valid}, or meta.<path>.`)
}

/** The type of a value, in words for an error message. */
export function typeInWords(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function criteriaError(key: string, message: string): RegistryError {
  return new RegistryError('INVALID_CRITERIA', message, { key: printable(key) })
}

/** Replaces what cannot be sent: a message must itself be valid text. */
function printable(key: string): string {
  return (key.length > 120 ? `${key.slice(0, 117)}…` : key).replace(/[\p{Cc}\p{Surrogate}]/gu, '\ufffd')
}
