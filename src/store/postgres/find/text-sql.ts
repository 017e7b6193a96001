import { ANY_RUN, type GlobToken, parseGlob } from '../../../core/criteria/glob.js'
import { and, EVERY_ROW, exactly, NO_ROW, type SqlFragment } from './sql-fragment.js'
import type { SqlParameters } from './sql-parameters.js'

/*
 * Conditions on a text column of collation "C". The database is UTF-8, so LIKE's `_` is a code point, and "C" sorts by
 * code point.
 */

/** As a range, which a btree index always serves. It serves LIKE only if the planner sees the pattern. */
export function startsWith(column: string, prefix: string, parameters: SqlParameters): SqlFragment {
  if (prefix === '') return EVERY_ROW
  const end = prefixEnd(prefix)
  if (end === undefined) return exactly(`starts_with(${column}, ${parameters.text(prefix)})`)
  return exactly(`(${column} >= ${parameters.text(prefix)} AND ${column} < ${parameters.text(end)})`)
}

/** The first text, by code point, after all texts with the prefix; undefined if there is none. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  // The surrogates in between are not characters.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}

/** LIKE, which a trigram index can serve. */
export function endsWith(column: string, suffix: string, parameters: SqlParameters): SqlFragment {
  return suffix === '' ? EVERY_ROW : exactly(`${column} LIKE ${parameters.text(`%${escapeLike(suffix)}`)}`)
}

export function includes(column: string, part: string, parameters: SqlParameters): SqlFragment {
  return part === '' ? EVERY_ROW : exactly(`${column} LIKE ${parameters.text(`%${escapeLike(part)}%`)}`)
}

/** LIKE, with the range of the text before the first wildcard. */
export function matchesGlob(column: string, pattern: string, parameters: SqlParameters): SqlFragment {
  const tokens = parseGlob(pattern)
  const range = startsWith(column, globPrefix(tokens), parameters)
  if (isPrefixGlob(tokens)) return range
  return and([range, exactly(`${column} LIKE ${parameters.text(likeOf(tokens))}`)])
}

/** The text before the first wildcard. */
export function globPrefix(tokens: readonly GlobToken[]): string {
  return typeof tokens[0] === 'string' ? tokens[0] : ''
}

/** Whether the glob is only that text followed by `*`. */
export function isPrefixGlob(tokens: readonly GlobToken[]): boolean {
  return tokens.at(-1) === ANY_RUN && tokens.length === (globPrefix(tokens) === '' ? 1 : 2)
}

export function isOneOf(column: string, texts: readonly string[], parameters: SqlParameters): SqlFragment {
  if (texts.length === 0) return NO_ROW
  if (texts.length === 1) return exactly(`${column} = ${parameters.text(texts[0]!)}`)
  return exactly(`${column} = ANY(ARRAY(SELECT jsonb_array_elements_text(${parameters.json(texts)})))`)
}

export function likeOf(tokens: readonly GlobToken[]): string {
  return tokens.map((token) => (typeof token === 'string' ? escapeLike(token) : token === ANY_RUN ? '%' : '_')).join('')
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
