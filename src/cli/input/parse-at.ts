import { parseTime } from '../../core/history/parse-time.js'
import { tagNameFault } from '../../core/history/tag.js'
import { usageFailure } from '../terminal/command-failure.js'

/** A point in history, as the input `At` of the schema. Null means the head. */
export type AtArgument =
  | { readonly version: number }
  | { readonly revision: number }
  | { readonly time: string }
  | { readonly tag: string }
  | null

/** The day, the minute, the second and the offset of an RFC 3339 time. All but the day may be left out. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?([Zz]|[-+]\d\d:\d\d)?)?$/

/**
 * Parses a point in history: `v3`, `r7`, `head`, `tag:release`, or an RFC 3339 time (a date alone means midnight UTC).
 * A bare number is rejected, because it could be a version or a revision.
 * @throws CommandFailure (usage)
 */
export function parseAt(text: string): AtArgument {
  if (text === 'head') return null
  const numbered = /^([vr])(\d{1,16})$/.exec(text)
  if (numbered !== null) return numbered[1] === 'v' ? { version: safe(numbered[2]!) } : { revision: safe(numbered[2]!) }
  if (text.startsWith('tag:')) return { tag: parseTagName(text.slice('tag:'.length)) }
  const [, day, minute = '00:00', second = ':00', offset = 'Z'] = TIME.exec(text) ?? []
  const time = parseTime(`${day}T${minute}${second}${offset}`)
  if (time !== null) return { time: new Date(time).toISOString() }
  const forms = 'v3 (a version), r7 (a revision), head, tag:NAME, or a time such as 2026-01-31T12:00:00Z'
  throw usageFailure(`${text} is not a point in history. Write ${forms}`)
}

/** Parses a version number, with or without the v. @throws CommandFailure (usage) */
export function parseVersion(text: string): number {
  const match = /^v?(\d{1,16})$/.exec(text)
  if (match === null) throw usageFailure(`${text} is not a version. Write its number, for example v3`)
  return safe(match[1]!)
}

/** Parses a revision number, with or without the r. @throws CommandFailure (usage) */
export function parseRevision(text: string): number {
  const match = /^r?(\d{1,16})$/.exec(text)
  if (match === null) throw usageFailure(`${text} is not a revision. Write its number, for example r7`)
  return safe(match[1]!)
}

/** @throws CommandFailure (usage) */
export function parseTagName(name: string): string {
  const fault = tagNameFault(name)
  if (fault !== undefined) throw usageFailure(`${name} is not a valid tag name: ${fault}`)
  return name
}

function safe(digits: string): number {
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw usageFailure(`${digits} is larger than any version or revision`)
  return value
}
