import { utf8Length } from '../../core/entry/text.js'
import { requestError } from './request-error.js'

export const AUTHOR_HEADER = 'x-cadastre-author'
const LONGEST_BYTES = 255

const NOT_KEPT = /[\u0000-\u001f\u007f-\u009f\p{Surrogate}]/u

/**
 * Who the client says it is, null where it says nothing. @throws GraphQLError BAD_USER_INPUT
 * @param said the header as Node gives it (a byte a character), or the value in `connection_init`
 */
export function parseAuthor(said: unknown, place: string): string | null {
  if (said === undefined || said === null) return null
  if (typeof said !== 'string') throw requestError('BAD_USER_INPUT', `${place} is not a text`)
  const author = said.trim()
  if (author === '') return null
  if (NOT_KEPT.test(author))
    throw requestError('BAD_USER_INPUT', `${place} has a control character or a lone surrogate`)
  if (utf8Length(author) > LONGEST_BYTES)
    throw requestError('BAD_USER_INPUT', `${place} takes more than ${LONGEST_BYTES} bytes`)
  return author
}

/**
 * A header's bytes as text. Command lines send UTF-8, browsers' `fetch` sends Latin-1 and nothing else: bytes
 * that are not UTF-8 are read as Latin-1.
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
