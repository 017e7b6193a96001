import type { IncomingMessage } from 'node:http'
import { utf8Length } from '../../core/entry/text.js'
import { requestError } from './request-error.js'

const AUTHOR_HEADER = 'x-cadastre-author'
/** @bound Length of an author's name. */
const LONGEST_BYTES = 255

/** Sources and the gateway itself write under these names. */
const RESERVED = /^(?:source\/|system:)/
/** Characters that a person does not see, by which another author could look like a reserved one. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
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
  // Compared as people read it: in any case, in full-width letters, and with invisible characters in between.
  if (RESERVED.test(author.replace(INVISIBLE, '').normalize('NFKC').trim().toLowerCase())) {
    const message = `${capitalized(place)} begins with "source/" or "system:", which are reserved for sources and the gateway. Send another name.`
    throw requestError('BAD_USER_INPUT', message)
  }
  return author
}

/**
 * Returns the text of the author's header, or undefined if there is none.
 * @throws GraphQLError BAD_USER_INPUT if it occurs twice, because Node would join the two to one name
 */
export function authorHeader({ headers, headersDistinct }: IncomingMessage): string | undefined {
  const header = headers[AUTHOR_HEADER]
  if (typeof header === 'string' && header.includes(', ') && headersDistinct[AUTHOR_HEADER]!.length > 1)
    throw requestError('BAD_USER_INPUT', 'The header X-Cadastre-Author is sent twice. Send one author.')
  return headerText(header)
}

/**
 * Decodes a header. Command lines send UTF-8, and browsers' `fetch` can send only Latin-1. So bytes that are not UTF-8
 * are read as Latin-1.
 * @param header - As Node returns it, one character for each byte
 */
function headerText(header: string | string[] | undefined): string | undefined {
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
