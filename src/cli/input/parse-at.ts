import { tagNameFault } from '../../core/history/tag.js'
import { usageFailure } from '../terminal/command-failure.js'

/** The contract's input `At`; null stands for the head. */
export type AtArgument =
  | { readonly version: number }
  | { readonly revision: number }
  | { readonly time: string }
  | { readonly tag: string }
  | null

const TIME = /^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[-+]\d\d:\d\d)?)?$/

/**
 * A place as it is written on the command line: `v3`, `r7`, `head`, `tag:release`, or a time (RFC 3339; a day alone begins
 * at midnight UTC). A bare number could mean a version or a revision, so it means neither.
 * @throws Failure (usage)
 */
export function parseAt(text: string): AtArgument {
  if (text === 'head') return null
  const numbered = /^([vr])(\d{1,16})$/.exec(text)
  if (numbered !== null) return numbered[1] === 'v' ? { version: safe(numbered[2]!) } : { revision: safe(numbered[2]!) }
  if (text.startsWith('tag:')) return { tag: parseTagName(text.slice('tag:'.length)) }
  if (TIME.test(text)) {
    const zoned = /[Zz]$|[-+]\d\d:\d\d$/.test(text) || text.length === 10
    const time = new Date(zoned ? text : `${text}Z`)
    if (!Number.isNaN(time.getTime())) return { time: time.toISOString() }
  }
  const places = 'v3 (a version), r7 (a revision), head, tag:NAME, or a time such as 2026-01-31T12:00:00Z'
  throw usageFailure(`${text} is no place in the history: write ${places}`)
}

/** A version's number, with or without the v. @throws Failure (usage) */
export function parseVersion(text: string): number {
  const match = /^v?(\d{1,16})$/.exec(text)
  if (match === null) throw usageFailure(`${text} is no version: write its number, such as v3`)
  return safe(match[1]!)
}

/** A revision's number, with or without the r. @throws Failure (usage) */
export function parseRevision(text: string): number {
  const match = /^r?(\d{1,16})$/.exec(text)
  if (match === null) throw usageFailure(`${text} is no revision: write its number, such as r7`)
  return safe(match[1]!)
}

/** @throws Failure (usage) */
export function parseTagName(name: string): string {
  const fault = tagNameFault(name)
  if (fault !== undefined) throw usageFailure(`${name} is no tag's name: ${fault}`)
  return name
}

function safe(digits: string): number {
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw usageFailure(`${digits} is beyond any number that a gateway gives`)
  return value
}
