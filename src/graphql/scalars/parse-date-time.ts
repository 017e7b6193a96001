import { badInput } from '../base/graphql-errors.js'

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Parses an RFC 3339 time with any offset. Digits beyond milliseconds are cut off. @throws GraphQLError BAD_USER_INPUT */
export function parseDateTime(text: string): Date {
  const match = RFC_3339.exec(text)
  if (match === null) throw notADateTime(text)
  const fields = match.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const [year, month, day, hour, minute, second] = fields
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const offsetHours = Number(match[9] ?? 0)
  const offsetMinutes = Number(match[10] ?? 0)
  // Second 60 is a leap second. Date reads it as the first second of the next minute.
  if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) throw notADateTime(text)

  const date = new Date(0)
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) throw notADateTime(text)
  date.setUTCHours(hour, minute, second, milliseconds)
  const offset = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -1 : 1)
  return new Date(date.getTime() - offset * 60_000)
}

function notADateTime(text: string): Error {
  const shown = text.length > 40 ? `${text.slice(0, 37)}…` : text
  return badInput(`"${shown}" is not an RFC 3339 time such as 2026-01-31T12:00:00Z`)
}
