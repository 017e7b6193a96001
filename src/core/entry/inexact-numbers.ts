import { numberFault } from './number-fault.js'

/** Digits, with a point among them, that a number has at least unless its exponent has three digits or more. */
const LONG = 16
/** A fraction with fewer digits does not become 0. */
const LONGEST_FRACTION = 300
const EXPONENT = /\d[eE][-+\d]\d\d/g
const EXPONENT_LENGTH = 5

/**
 * Whether a JSON text may hold a number that no double holds. Each has 16 digits or an exponent of three, because any
 * decimal of up to 15 digits is the shortest form of a double. Text within strings may look like such a number, so true
 * means that the text must be read token by token.
 *
 * It looks at every 16th character, and for exponents by a regular expression. That takes 8 % of the time of `JSON.parse`;
 * reading every character takes 40 % or more. Figures: docs/decisions/0040-numbers.md
 * @param from - Offset of the part to look through. Numbers across its ends are seen from either side
 */
export function mayHoldInexactNumber(text: string, from = 0, to = text.length): boolean {
  return holdsLongNumber(text, from, to) || holdsExponent(text, from, to)
}

function holdsLongNumber(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i += LONG) {
    if (!isOfMantissa(text.charCodeAt(i))) continue
    // A run of 16 around a place reaches 8 characters to one side at least.
    if (!isOfMantissa(text.charCodeAt(i - LONG / 2)) && !isOfMantissa(text.charCodeAt(i + LONG / 2))) continue
    let start = i
    while (isOfMantissa(text.charCodeAt(start - 1))) start--
    let end = i + 1
    while (isOfMantissa(text.charCodeAt(end))) end++
    i = Math.max(i, end - LONG)
    if (end - start < LONG || isShortFraction(text, start, end)) continue
    if (isInexactAt(text, start)) return true
  }
  return false
}

/** Whether it is a fraction such as 0.30000000000000004, which lists of measurements are full of. */
function isShortFraction(text: string, start: number, end: number): boolean {
  let point = start
  while (point < start + LONG && text.charCodeAt(point) !== 0x2e) point++
  return point < start + LONG && end - point < LONGEST_FRACTION && (text.charCodeAt(end) | 0x20) !== 0x65
}

function holdsExponent(text: string, from: number, to: number): boolean {
  // Without a part of its own, a search without a match would read on to the end of the text.
  const part = from === 0 && to === text.length ? text : text.slice(from, to + EXPONENT_LENGTH)
  EXPONENT.lastIndex = 0
  for (let match = EXPONENT.exec(part); match !== null; match = EXPONENT.exec(part))
    if (isInexactAt(text, from + match.index)) return true
  return false
}

/** Whether the number around a digit stands where a value may stand and cannot be kept. */
function isInexactAt(text: string, digit: number): boolean {
  let start = digit
  while (isOfMantissa(text.charCodeAt(start - 1))) start--
  if (text[start - 1] === '-') start--
  if (start > 0 && !isBeforeValue(text.charCodeAt(start - 1))) return false
  let end = digit + 1
  while (isOfNumber(text.charCodeAt(end))) end++
  return numberFault(text.slice(start, end)) !== undefined
}

/** Whether it is a colon, a comma, an opening bracket or white space. */
function isBeforeValue(unit: number): boolean {
  return unit === 0x3a || unit === 0x2c || unit === 0x5b || unit <= 0x20
}

/** Whether it is a digit or a point. */
function isOfMantissa(unit: number): boolean {
  return unit >= 0x2e && unit <= 0x39 && unit !== 0x2f
}

/** Whether it is one of `0123456789+-.eE`. */
function isOfNumber(unit: number): boolean {
  return isOfMantissa(unit) || unit === 0x2d || unit === 0x2b || (unit | 0x20) === 0x65
}
