import type { FieldTest, Operator, RootField } from '../../../core/criteria/criteria.js'
import { parseGlob } from '../../../core/criteria/glob.js'
import { isStorableText } from '../../../core/criteria/storable-text.js'
import type { Json } from '../../../core/entry/json.js'
import { requiredLiteral } from './required-literal.js'
import { ANY_ROW, and, atLeast, EVERY_ROW, exactly, NO_ROW, not, or, type SqlFragment } from './sql-fragment.js'
import type { SqlParameters } from './sql-parameters.js'
import { endsWith, globPrefix, includes, isOneOf, isPrefixGlob, likeOf, matchesGlob, startsWith } from './text-sql.js'

/** Text columns of collation "C". */
export interface RootColumns {
  readonly ns: string
  readonly name: string
  readonly kind: string
}

/** The tests that a root field needs; all others come down to these. */
interface RootTests {
  isOneOf(texts: readonly string[]): SqlFragment
  startsWith(prefix: string): SqlFragment
  endsWith(suffix: string): SqlFragment
  includes(part: string): SqlFragment
  matchesGlob(pattern: string): SqlFragment
}

type RootTest<O extends Operator> = (test: Extract<FieldTest, { operator: O }>, field: RootTests) => SqlFragment

const ROOT_TESTS: { readonly [O in Operator]: RootTest<O> } = {
  equals: ({ value }, field) => field.isOneOf(keepableTexts([value])),
  notEquals: ({ value }, field) => not(field.isOneOf(keepableTexts([value]))),
  in: ({ values }, field) => field.isOneOf(keepableTexts(values)),
  exists: ({ present }) => (present ? EVERY_ROW : NO_ROW),
  holdsAll: () => NO_ROW,
  glob: ({ pattern }, field) => (isStorableText(pattern) ? field.matchesGlob(pattern) : NO_ROW),
  regex: ({ pattern }, field) => {
    const literal = requiredLiteral(pattern)
    if (literal === undefined) return ANY_ROW
    const found = literal.anchored ? field.startsWith(literal.text) : field.includes(literal.text)
    return literal.complete ? found : atLeast(found.sql)
  },
  contains: ({ text }, field) => (isStorableText(text) ? field.includes(text) : NO_ROW),
  prefix: ({ text }, field) => (isStorableText(text) ? field.startsWith(text) : NO_ROW),
  suffix: ({ text }, field) => (isStorableText(text) ? field.endsWith(text) : NO_ROW),
}

/** A test of a root field. */
export function rootSql(
  columns: RootColumns,
  root: RootField,
  test: FieldTest,
  parameters: SqlParameters,
): SqlFragment {
  const field = root === 'id' ? idTests(columns, parameters) : columnTests(columns[root], parameters)
  return (ROOT_TESTS[test.operator] as RootTest<Operator>)(test, field)
}

function columnTests(column: string, parameters: SqlParameters): RootTests {
  return {
    isOneOf: (texts) => isOneOf(column, texts, parameters),
    startsWith: (prefix) => startsWith(column, prefix, parameters),
    endsWith: (suffix) => endsWith(column, suffix, parameters),
    includes: (part) => includes(column, part, parameters),
    matchesGlob: (pattern) => matchesGlob(column, pattern, parameters),
  }
}

/**
 * An id is `ns:name`, and no namespace has a colon: so the first colon of the id is the one between, a text without
 * colon lies within one of the two, and one with a colon either lies in the name or reaches over the first colon.
 * Every test thus becomes one of the columns, which are indexed.
 */
function idTests({ ns, name }: RootColumns, parameters: SqlParameters): RootTests {
  const inNs = columnTests(ns, parameters)
  const inName = columnTests(name, parameters)
  const isId = ({ before, after }: Split) => and([inNs.isOneOf([before]), inName.isOneOf([after])])
  const tests: RootTests = {
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
      const prefix = tests.startsWith(globPrefix(tokens))
      if (isPrefixGlob(tokens)) return prefix
      return and([prefix, exactly(`(${ns} || ':' || ${name}) LIKE ${parameters.text(likeOf(tokens))}`)])
    },
  }
  return tests
}

interface Split {
  readonly before: string
  readonly after: string
}

function splitAtColon(text: string): Split | undefined {
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { before: text.slice(0, colon), after: text.slice(colon + 1) }
}

function keepableTexts(values: readonly Json[]): readonly string[] {
  return values.filter((value) => typeof value === 'string').filter(isStorableText)
}
