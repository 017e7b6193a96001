import { parseGlob } from '../../../core/criteria/glob.js'
import type { Operator, TestOf } from '../../../core/criteria/operators.js'
import { isStorable, isStorableText } from '../../../core/criteria/storable-text.js'
import type { Json } from '../../../core/entry/json.js'
import { holdsScalar, MAX_INDEXED_VALUES, type MetaFieldSql } from './meta-field-sql.js'
import { requiredLiteral } from './required-literal.js'
import type { RootFieldSql } from './root-field-sql.js'
import { ANY_ROW, atLeast, EVERY_ROW, NO_ROW, not, type SqlFragment } from './sql-fragment.js'
import { globPrefix, likeOf } from './text-sql.js'

export interface OperatorSql<O extends Operator = Operator> {
  readonly onRoot: (test: TestOf<O>, field: RootFieldSql) => SqlFragment
  readonly onMeta: (test: TestOf<O>, field: MetaFieldSql) => SqlFragment
  /** The longest text that a match may contain anywhere, not only at the beginning. A trigram index can look it up. */
  readonly searchedText?: (test: TestOf<O>) => string
  /** Whether the index of meta can look up every match in a meta field. */
  readonly isLookedUp?: (test: TestOf<O>) => boolean
}

/** The SQL of each finder operator. `core/criteria/operators.ts` defines its meaning. */
export const OPERATORS_SQL: { readonly [O in Operator]: OperatorSql<O> } = {
  equals: {
    onRoot: ({ value }, field) => field.isOneOf(storableTexts([value])),
    onMeta: ({ value }, field) => field.equals(value),
    isLookedUp: ({ value }) => holdsScalar(value),
  },
  notEquals: {
    onRoot: ({ value }, field) => not(field.isOneOf(storableTexts([value]))),
    onMeta: ({ value }, field) => not(field.equals(value)),
  },
  in: {
    onRoot: ({ values }, field) => field.isOneOf(storableTexts(values)),
    onMeta: ({ values }, field) => field.isOneOf(values.filter(isStorable)),
    isLookedUp: ({ values }) => values.length <= MAX_INDEXED_VALUES && values.every(holdsScalar),
  },
  exists: {
    onRoot: ({ present }) => (present ? EVERY_ROW : NO_ROW),
    onMeta: ({ present }, field) => (present ? field.exists() : not(field.exists())),
  },
  holdsAll: {
    onRoot: () => NO_ROW,
    onMeta: ({ values }, field) => (values.every(isStorable) ? field.holdsAll(values) : NO_ROW),
    isLookedUp: ({ values }) => holdsScalar(values),
  },
  glob: {
    onRoot: ({ pattern }, field) => (isStorableText(pattern) ? field.matchesGlob(pattern) : NO_ROW),
    onMeta: ({ pattern }, field) => {
      if (!isStorableText(pattern)) return NO_ROW
      const like = field.parameters.text(likeOf(parseGlob(pattern)))
      return field.isText((text) => `${text} LIKE ${like}`)
    },
    searchedText: ({ pattern }) => {
      const tokens = parseGlob(pattern)
      return globPrefix(tokens) === '' ? longest(tokens.filter((token) => typeof token === 'string')) : ''
    },
  },
  // Postgres' own expressions have another syntax and take unbounded time, so only the required text is translated.
  regex: {
    onRoot: ({ pattern }, field) => {
      const literal = requiredLiteral(pattern)
      if (literal === undefined) return ANY_ROW
      const found = literal.anchored ? field.startsWith(literal.text) : field.includes(literal.text)
      return literal.complete ? found : atLeast(found.sql)
    },
    onMeta: ({ pattern }, field) => {
      const literal = requiredLiteral(pattern)
      if (literal === undefined) return atLeast(field.isText().sql)
      const required = field.parameters.text(literal.text)
      const found = field.isText((text) =>
        literal.anchored ? `starts_with(${text}, ${required})` : `strpos(${text}, ${required}) > 0`,
      )
      return literal.complete ? found : atLeast(found.sql)
    },
    searchedText: ({ pattern }) => {
      const literal = requiredLiteral(pattern)
      return literal === undefined || literal.anchored ? '' : literal.text
    },
  },
  contains: {
    onRoot: ({ text }, field) => (isStorableText(text) ? field.includes(text) : NO_ROW),
    onMeta: ({ text, inElements }, field) => (isStorableText(text) ? field.includes(text, inElements) : NO_ROW),
    searchedText: ({ text }) => longestPart(text),
  },
  prefix: {
    onRoot: ({ text }, field) => (isStorableText(text) ? field.startsWith(text) : NO_ROW),
    onMeta: ({ text: prefix }, field) => {
      if (!isStorableText(prefix)) return NO_ROW
      const start = field.parameters.text(prefix)
      return field.isText((text) => `starts_with(${text}, ${start})`)
    },
  },
  suffix: {
    onRoot: ({ text }, field) => (isStorableText(text) ? field.endsWith(text) : NO_ROW),
    onMeta: ({ text: suffix }, field) => {
      if (!isStorableText(suffix)) return NO_ROW
      const end = field.parameters.text(suffix)
      return field.isText((text) => `right(${text}, length(${end})) = ${end}`)
    },
    searchedText: ({ text }) => longestPart(text),
  },
}

function storableTexts(values: readonly Json[]): readonly string[] {
  return values.filter((value) => typeof value === 'string').filter(isStorableText)
}

/** If a text spans the colon of an id, the name may have to match either part alone. */
function longestPart(text: string): string {
  return longest(text.split(':'))
}

function longest(texts: readonly string[]): string {
  return texts.reduce((a, b) => (b.length > a.length ? b : a), '')
}
