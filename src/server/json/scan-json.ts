import type { GraphQLError } from 'graphql'
import { exactJsonParser } from '../../core/entry/exact-json.js'
import { mayHoldInexactNumber } from '../../core/entry/inexact-numbers.js'
import { inSlices, pauseIfDue } from '../../store/coalescing/time-slices.js'
import { requestError } from '../pipeline/request-error.js'
import type { JsonBounds } from './json-bounds.js'
import { JsonCounter } from './json-counter.js'
import { parseInPieces } from './parse-in-pieces.js'

/** A text, and the findings of the scan before it is parsed. */
export interface ScannedJson {
  readonly text: string
  /** Undefined if the text is so short that it is looked through while it is parsed. */
  readonly mayHoldInexactNumber: boolean | undefined
  /** The value of a long text, which was parsed in pieces. Undefined if it is still to be parsed, or no JSON. */
  readonly parsed?: { readonly value: unknown }
}

/** Characters that are looked through at once, for at most 2 ms. */
const READ_AT_ONCE = 64 * 1024
/** A text of as many characters is looked through and parsed at once, for at most 10 ms. */
const SHORT = 128 * 1024
/** One window is read in each block, at a random place, so that a caller cannot know what is not read. */
const BLOCK = 2048
const WINDOW = 32
/** A text with an estimate of more than two thirds of a bound is counted. */
const MARGIN = 1.5
/** One object or list in fewer characters than this is counted. Usual bodies have one in 50. */
const DENSE = 10

/**
 * Looks through a JSON text before it is parsed. A text may be small and its values large: 50 MB of `{}` blocked the event
 * loop for 15 s and took 1.1 GB.
 *
 * Counting all values takes 40 to 60 % of the time of parsing. So a part of a longer text is read first, which takes less than 1 %,
 * and the whole only if the text may exceed a bound. The part is a random one of every 64 characters, so with the default
 * bounds, an estimate is wrong by a third with a probability of less than 1 in 10^20.
 * @throws GraphQLError TOO_LARGE
 */
export function scanJson(text: string, bounds: JsonBounds): ScannedJson | Promise<ScannedJson> {
  const isCounted = mayExceed(text, bounds)
  if (!isCounted && text.length <= SHORT) return { text, mayHoldInexactNumber: undefined }
  return scanAndParse(text, bounds, isCounted)
}

async function scanAndParse(text: string, bounds: JsonBounds, isCounted: boolean): Promise<ScannedJson> {
  const isSuspect = await mayHoldInexactNumberInSlices(text, bounds, isCounted)
  const parse = exactJsonParser()
  const parsed = await inSlices(parseInPieces(text, (piece) => parse(piece, isSuspect ? undefined : false)))
  return { text, mayHoldInexactNumber: isSuspect, ...(parsed && { parsed }) }
}

/**
 * Looks through a long text, in time slices, and returns whether it may hold a number that no double holds.
 * @param isCounted - Whether all values are counted
 * @throws GraphQLError TOO_LARGE
 */
export async function mayHoldInexactNumberInSlices(
  text: string,
  bounds: JsonBounds,
  isCounted = mayExceed(text, bounds),
): Promise<boolean> {
  if (isCounted) {
    const counter = new JsonCounter(text)
    while (counter.read(READ_AT_ONCE)) await pauseIfDue()
    const excess = counter.excess(bounds)
    if (excess !== undefined) throw tooLarge(text, excess)
  }
  let isFound = false
  for (let from = 0; from < text.length && !isFound; from += READ_AT_ONCE) {
    if (from > 0) await pauseIfDue()
    isFound = mayHoldInexactNumber(text, from, Math.min(text.length, from + READ_AT_ONCE))
  }
  return isFound
}

/** Whether the text may exceed the bounds. Its length is a bound for all of them. */
function mayExceed(text: string, { containers, values, depth }: JsonBounds): boolean {
  const { length } = text
  if (length <= Math.min(containers, values, depth)) return false
  let opened = 0
  let commas = 0
  let read = 0
  for (let block = 0; block < length; block += BLOCK) {
    const room = Math.min(BLOCK, length - block)
    const start = block + Math.floor(Math.random() * Math.max(1, room - WINDOW + 1))
    const end = Math.min(length, start + WINDOW)
    for (let i = start; i < end; i++) {
      const unit = text.charCodeAt(i)
      if ((unit | 0x20) === 0x7b) opened++
      else if (unit === 0x2c) commas++
    }
    read += end - start
  }
  const scale = (MARGIN * length) / read
  return opened * scale > Math.min(containers, Math.max(depth, length / DENSE)) || (opened + commas) * scale > values
}

function tooLarge(text: string, excess: string): GraphQLError {
  return requestError(
    'TOO_LARGE',
    `The request ${excess}, in ${text.length} characters of JSON. Split the changeset, or send less at once.`,
  )
}
