import { utf8Length } from '../../core/entry/text.js'
import { requestError } from './request-error.js'

export const AUTHOR_HEADER = 'x-cadastre-author'
const LONGEST_BYTES = 255

const FORBIDDEN_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\p{Surrogate}]/u

/**
 * Returns the author that a client names, or null if it names none.
 * @param value - The header's text, or the value in `connection_init`
 * @param place - Describes the value in error messages
 * @throws GraphQLError BAD_USER_INPUT
 */
export function parseAuthor(value: unknown, place: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw requestError('BAD_USER_INPUT', `${capitalized(place)} is not a string.`)
  const author = value.trim()
  if (author === '') return null
  if (FORBIDDEN_CHARACTERS.test(author))
    throw requestError('BAD_USER_INPUT', `${capitalized(place)} contains a control character or a lone surrogate.`)
  if (utf8Length(author) > LONGEST_BYTES)
    throw requestError('BAD_USER_INPUT', `${capitalized(place)} is longer than ${LONGEST_BYTES} bytes.`)
  return author
}

/**
 * Decodes a header. Command lines send UTF-8, and browsers' `fetch` can send only Latin-1. So bytes that are not UTF-8
 * are read as Latin-1.
 * @param header - As Node returns it, one character for each byte
 */
export function headerText(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const latin1 = typeof header === 'string' ? header : header.join(', ')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(latin1, 'latin1'))
  } catch {
    return latin1
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
