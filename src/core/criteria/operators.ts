import { jsonEquals } from '../entry/canonical-json.js'
import type { Json } from '../entry/json.js'
import type { CompileRegex } from './compiled-regex.js'
import { anyText, type CompiledTest, containsText, equalsAny, holdsEvery, NEVER } from './compiled-test.js'
import type { Field } from './field.js'
import { escapeGlob, matchGlob, parseGlob } from './glob.js'
import type { Operands, OperandType } from './operand.js'
import { isStorableText } from './storable-text.js'

/** A test of one field, as `find` and `where` are parsed into it. */
export type FieldTest =
  /** Equal by value: key order does not matter, 1 equals 1.0, arrays are ordered. On a root field a string. */
  | { readonly operator: 'equals'; readonly value: Json }
  /** Also matches a missing field. */
  | { readonly operator: 'notEquals'; readonly value: Json }
  | { readonly operator: 'in'; readonly values: readonly Json[] }
  | { readonly operator: 'exists'; readonly present: boolean }
  /** The field is an array that holds each of these by value. */
  | { readonly operator: 'holdsAll'; readonly values: readonly Json[] }
  /** `*` is any run of characters, `?` one character (code point), `\` escapes. */
  | { readonly operator: 'glob'; readonly pattern: string }
  /** RE2 syntax, unanchored. */
  | { readonly operator: 'regex'; readonly pattern: string }
  /** Substring. `inElements` also searches the string elements of an array. */
  | { readonly operator: 'contains'; readonly text: string; readonly inElements: boolean }
  | { readonly operator: 'prefix'; readonly text: string }
  | { readonly operator: 'suffix'; readonly text: string }

export type Operator = FieldTest['operator']
export type TestOf<O extends Operator> = Extract<FieldTest, { operator: O }>

export interface OperatorRow<O extends Operator = Operator, Type extends OperandType = OperandType> {
  /** Stands before the field in `find`. Rows without a symbol are not part of `find`. */
  readonly symbol?: string
  /**
   * Whether a condition without an operator means this row. Only rows with the symbol `''` have it, because they share
   * it.
   */
  readonly isMeant?: (field: Field, value: unknown) => boolean
  /** The key in `where`. Rows without a word are not part of `where`. */
  readonly word?: string
  /** The descriptions of the GraphQL input fields. A row without `onRoot` is for meta fields only. */
  readonly describe?: { readonly onRoot?: string; readonly onMeta: string }
  readonly takes: Type
  /** Builds the test from a checked operand. */
  readonly build: (operand: Operands[Type], field: Field) => FieldTest
  /** The reference meaning. */
  readonly match: (test: TestOf<O>, compileRegex: CompileRegex) => CompiledTest
  /** The operand that gives this test when parsed again; undefined if the form cannot express the test. */
  readonly print: (test: TestOf<O>, field: Field, form: 'find' | 'where') => Json | undefined
}

type AnyRowOf<O extends Operator> = { [Type in OperandType]: OperatorRow<O, Type> & { takes: Type } }[OperandType]

const isRoot = (field: Field) => 'root' in field

/** All finder operators, in the order in which messages and the GraphQL schema list them. */
export const OPERATORS = {
  equals: {
    symbol: '',
    isMeant: (field, value) => !isRoot(field) && !Array.isArray(value),
    word: 'eq',
    describe: {
      onRoot: 'Equals this text.',
      onMeta: 'Equals this value. `null` matches a field that exists and is null.',
    },
    takes: 'value',
    build: (value) => ({ operator: 'equals', value }),
    match: ({ value }) => equalsAny([value]),
    print: ({ value }, field, form) => {
      if (form === 'where') return value
      if (isRoot(field)) return typeof value === 'string' ? escapeGlob(value) : undefined
      return Array.isArray(value) ? undefined : value
    },
  },
  notEquals: {
    word: 'ne',
    describe: { onRoot: 'Differs from this text.', onMeta: 'Differs from this value, or is missing.' },
    takes: 'value',
    build: (value) => ({ operator: 'notEquals', value }),
    // The negation of equals: if a field has two values, neither may be equal.
    match:
      ({ value }) =>
      (values) =>
        !values.some((found) => jsonEquals(value, found)),
    print: ({ value }) => value,
  },
  in: {
    word: 'in',
    describe: {
      onRoot: 'Equals one of these texts. An empty list matches nothing.',
      onMeta: 'Equals one of these values. An empty list matches nothing.',
    },
    takes: 'list',
    build: (values) => ({ operator: 'in', values }),
    match: ({ values }) => equalsAny(values),
    print: ({ values }) => values,
  },
  exists: {
    word: 'exists',
    describe: { onMeta: 'Whether the field exists, null or not.' },
    takes: 'boolean',
    build: (present) => ({ operator: 'exists', present }),
    match:
      ({ present }) =>
      (values) =>
        values.length > 0 === present,
    print: ({ present }, field) => (isRoot(field) ? undefined : present),
  },
  holdsAll: {
    symbol: '',
    isMeant: (field, value) => !isRoot(field) && Array.isArray(value),
    takes: 'list',
    build: (values) => ({ operator: 'holdsAll', values }),
    match: ({ values }) => holdsEvery(values),
    print: ({ values }, field) => (isRoot(field) ? undefined : values),
  },
  glob: {
    symbol: '',
    isMeant: isRoot,
    word: 'glob',
    describe: {
      onRoot: '`*` matches any run of characters, `?` one character, `\\` escapes.',
      onMeta: '`*` matches any run of characters, `?` one character, `\\` escapes.',
    },
    takes: 'glob',
    build: ({ pattern, literal }) =>
      literal === undefined ? { operator: 'glob', pattern } : { operator: 'equals', value: literal },
    match: ({ pattern }) => {
      if (!isStorableText(pattern)) return NEVER
      const tokens = parseGlob(pattern)
      return anyText((text, budget) => matchGlob(tokens, text, budget.spend))
    },
    print: ({ pattern }, field, form) => (form === 'where' || isRoot(field) ? pattern : undefined),
  },
  regex: {
    symbol: '~',
    word: 'regex',
    describe: {
      onRoot: 'Regular expression in RE2 syntax, unanchored.',
      onMeta: 'Regular expression in RE2 syntax, unanchored.',
    },
    takes: 'regex',
    build: (pattern) => ({ operator: 'regex', pattern }),
    match: ({ pattern }, compileRegex) => {
      const regex = compileRegex(pattern)
      const stepsPerCharacter = REGEX_STEP * (regex.size ?? 1)
      return anyText((text, budget) => {
        budget.spend(text.length * stepsPerCharacter)
        return regex.test(text)
      })
    },
    print: ({ pattern }) => pattern,
  },
  contains: {
    symbol: '*',
    word: 'contains',
    describe: {
      onRoot: 'Contains this text.',
      onMeta: 'Contains this text. A list matches if one of its texts does.',
    },
    takes: 'text',
    // Only meta holds arrays.
    build: (text, field) => ({ operator: 'contains', text, inElements: !isRoot(field) }),
    match: ({ text: part, inElements }) => (isStorableText(part) ? containsText(part, inElements) : NEVER),
    // On a root field it does not matter whether elements would be searched.
    print: ({ text, inElements }, field) => (inElements || isRoot(field) ? text : undefined),
  },
  prefix: {
    symbol: '^',
    word: 'prefix',
    describe: { onRoot: 'Begins with this text.', onMeta: 'Begins with this text.' },
    takes: 'text',
    build: (text) => ({ operator: 'prefix', text }),
    match: ({ text: part }) => (isStorableText(part) ? anyText((text) => text.startsWith(part)) : NEVER),
    print: ({ text }) => text,
  },
  suffix: {
    symbol: '$',
    word: 'suffix',
    describe: { onRoot: 'Ends with this text.', onMeta: 'Ends with this text.' },
    takes: 'text',
    build: (text) => ({ operator: 'suffix', text }),
    match: ({ text: part }) => (isStorableText(part) ? anyText((text) => text.endsWith(part)) : NEVER),
    print: ({ text }) => text,
  },
} as const satisfies { readonly [O in Operator]: AnyRowOf<O> }

/** One step of a regex engine in comparisons of a character (measured: 75 million a second against 300). */
const REGEX_STEP = 4

type Rows = typeof OPERATORS
type WordOf<Row> = Row extends { readonly word: infer Word extends string } ? Word : never

/** The operators of `where`: each word with the type of its operand. */
export type WhereOperands = { readonly [O in Operator as WordOf<Rows[O]>]: Input<Rows[O]['takes']> }
/** The input type of an operand: globs and regular expressions are strings. */
type Input<Type extends OperandType> = Operands[Type] extends Json ? Operands[Type] : string
/** The words of `where` that are for meta fields only. */
export type MetaOnlyWord = {
  [O in Operator]: Rows[O] extends { readonly describe: { readonly onRoot: string } } ? never : WordOf<Rows[O]>
}[Operator]

export const OPERATOR_ROWS: readonly OperatorRow[] = Object.values(OPERATORS) as unknown as readonly OperatorRow[]
