const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** The calendar repeats after 400 years. */
const CYCLE_YEARS = 400
const CYCLE_MS = 146_097 * 86_400_000

/**
 * Parses an RFC 3339 time with any offset. Digits beyond milliseconds are cut off.
 * @returns milliseconds since 1970; null if it is not a time, such as on a day that the calendar does not have
 */
export function parseTime(text: string): number | null {
  const match = RFC_3339.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const offsetHours = Number(match[9] ?? 0)
  const offsetMinutes = Number(match[10] ?? 0)
  // Second 60 is a leap second. It counts as the first second of the next minute.
  if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) return null
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null

  const offset = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -1 : 1)
  // Date.UTC reads the years 0 to 99 as 1900 to 1999.
  const later = Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute, second, milliseconds)
  return later - CYCLE_MS - offset * 60_000
}

function daysIn(year: number, month: number): number {
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  if (month === 2) return isLeapYear ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}
