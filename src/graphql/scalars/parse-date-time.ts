import { parseTime } from '../../core/history/parse-time.js'
import { badInput } from '../base/graphql-errors.js'

/** Parses an RFC 3339 time. @throws GraphQLError BAD_USER_INPUT */
export function parseDateTime(text: string): Date {
  const time = parseTime(text)
  if (time !== null) return new Date(time)
  const shown = text.length > 40 ? `${text.slice(0, 37)}…` : text
  throw badInput(`"${shown}" is not an RFC 3339 time such as 2026-01-31T12:00:00Z`)
}
