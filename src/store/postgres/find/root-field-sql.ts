import type { RootField } from '../../../core/criteria/field.js'
import { parseGlob } from '../../../core/criteria/glob.js'
import { and, exactly, or, type SqlFragment } from './sql-fragment.js'
import type { SqlParameters } from './sql-parameters.js'
import { endsWith, globPrefix, includes, isOneOf, isPrefixGlob, likeOf, matchesGlob, startsWith } from './text-sql.js'

/** Text columns of collation "C". */
export interface RootColumns {
  readonly ns: string
  readonly name: string
  readonly kind: string
}

/** Conditions on one root field. Every operator is translated to these. */
export interface RootFieldSql {
  isOneOf(texts: readonly string[]): SqlFragment
  startsWith(prefix: string): SqlFragment
  endsWith(suffix: string): SqlFragment
  includes(part: string): SqlFragment
  matchesGlob(pattern: string): SqlFragment
}

export function rootFieldSql(columns: RootColumns, root: RootField, parameters: SqlParameters): RootFieldSql {
  return root === 'id' ? idSql(columns, parameters) : columnSql(columns[root], parameters)
}

function columnSql(column: string, parameters: SqlParameters): RootFieldSql {
  return {
    isOneOf: (texts) => isOneOf(column, texts, parameters),
    startsWith: (prefix) => startsWith(column, prefix, parameters),
    endsWith: (suffix) => endsWith(column, suffix, parameters),
    includes: (part) => includes(column, part, parameters),
    matchesGlob: (pattern) => matchesGlob(column, pattern, parameters),
  }
}

/**
 * An id is `ns:name`, and no namespace has a colon. So the first colon of the id separates the two. A text without a
 * colon lies within one of them. A text with a colon either lies in the name or spans the first colon. So every
 * condition on ids becomes conditions on the columns, which have indexes.
 */
function idSql({ ns, name }: RootColumns, parameters: SqlParameters): RootFieldSql {
  const inNs = columnSql(ns, parameters)
  const inName = columnSql(name, parameters)
  const isId = ({ before, after }: Split) => and([inNs.isOneOf([before]), inName.isOneOf([after])])
  const sql: RootFieldSql = {
    isOneOf: (texts) => {
      const ids = texts.map(splitAtColon).filter((split) => split !== undefined)
      if (ids.length <= 1) return or(ids.map(isId))
      const pairs = parameters.json(ids.map(({ before, after }) => [before, after]))
      return exactly(`(${ns}, ${name}) IN (SELECT pair ->> 0, pair ->> 1 FROM jsonb_array_elements(${pairs}) pair)`)
    },
    startsWith: (prefix) => {
      const split = splitAtColon(prefix)
      if (split === undefined) return inNs.startsWith(prefix)
      return and([inNs.isOneOf([split.before]), inName.startsWith(split.after)])
    },
    endsWith: (suffix) => {
      const split = splitAtColon(suffix)
      if (split === undefined) return inName.endsWith(suffix)
      return or([inName.endsWith(suffix), and([inNs.endsWith(split.before), inName.isOneOf([split.after])])])
    },
    includes: (part) => {
      const split = splitAtColon(part)
      if (split === undefined) return or([inNs.includes(part), inName.includes(part)])
      return or([inName.includes(part), and([inNs.endsWith(split.before), inName.startsWith(split.after)])])
    },
    matchesGlob: (pattern) => {
      const tokens = parseGlob(pattern)
      const prefix = sql.startsWith(globPrefix(tokens))
      if (isPrefixGlob(tokens)) return prefix
      return and([prefix, exactly(`(${ns} || ':' || ${name}) LIKE ${parameters.text(likeOf(tokens))}`)])
    },
  }
  return sql
}

interface Split {
  readonly before: string
  readonly after: string
}

function splitAtColon(text: string): Split | undefined {
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { before: text.slice(0, colon), after: text.slice(colon + 1) }
}
