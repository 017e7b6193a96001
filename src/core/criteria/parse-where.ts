import { isJsonObject, type Json } from '../entry/json.js'
import type { CompileRegex } from './compiled-regex.js'
import { allOf, type Condition, type Criteria } from './criteria.js'
import { CriteriaLimits } from './criteria-limits.js'
import type { Field, RootField } from './field.js'
import { invalidCriteria, typeInWords } from './invalid-criteria.js'
import { checkOperand, metaField, type OperandContext } from './operand.js'
import { type MetaOnlyWord, OPERATOR_ROWS, type WhereOperands } from './operators.js'

type Optional<T> = { readonly [K in keyof T]?: T[K] | null | undefined }

/** The contract's `StringFilter`: on a root field every operand is text. */
export type StringFilterInput = Optional<{
  readonly [Word in Exclude<keyof WhereOperands, MetaOnlyWord>]: WhereOperands[Word] extends readonly Json[]
    ? readonly string[]
    : string
}>

/** The contract's `ValueFilter`. `eq: null` and `ne: null` are conditions: null is a value like any other. */
export type ValueFilterInput = { readonly path: string } & Optional<WhereOperands>

/** The contract's `EntryFilter`. */
export type EntryFilterInput = Optional<
  Record<RootField, StringFilterInput> & {
    readonly meta: readonly ValueFilterInput[]
    readonly and: readonly EntryFilterInput[]
    readonly or: readonly EntryFilterInput[]
    readonly not: EntryFilterInput
  }
>

const ROWS_BY_WORD = new Map(OPERATOR_ROWS.flatMap((row) => (row.word === undefined ? [] : [[row.word, row] as const])))

type PartKey = keyof EntryFilterInput
type ParsePart = (parser: WhereParser, key: string, value: unknown, nesting: number) => readonly Criteria[]

const PARTS: Record<PartKey, ParsePart> = {
  id: (parser, key, value, nesting) => parser.rootFilter(key, 'id', value, nesting),
  ns: (parser, key, value, nesting) => parser.rootFilter(key, 'ns', value, nesting),
  name: (parser, key, value, nesting) => parser.rootFilter(key, 'name', value, nesting),
  kind: (parser, key, value, nesting) => parser.rootFilter(key, 'kind', value, nesting),
  meta: (parser, key, value, nesting) =>
    list(key, value).flatMap((filter, i) => parser.metaFilter(`${key}[${i}]`, filter, nesting)),
  and: (parser, key, value, nesting) => [allOf(parser.filters(key, value, nesting))],
  or: (parser, key, value, nesting) => [{ any: parser.filters(key, value, nesting) }],
  not: (parser, key, value, nesting) => [{ not: parser.filter(key, value, nesting + 1) }],
}

/**
 * Parses `where`, the typed form. The parts of a filter are ANDed. An empty filter matches everything.
 *
 * A key that is missing (or undefined) is no condition. A key that is null is refused, except for `eq` and `ne` of a
 * meta field. If null counted as missing, a variable that happens to be null would match everything. A string or value
 * filter without a condition is refused too. `path` is within meta, without an operator and without `meta.`.
 * @throws RegistryError INVALID_CRITERIA naming the place, e.g. `or[1].meta[0].regex`, and why
 */
export function parseWhere(where: EntryFilterInput, compileRegex: CompileRegex): Criteria {
  return new WhereParser({ limits: new CriteriaLimits(), compileRegex }).filter('', where, 0)
}

class WhereParser {
  constructor(readonly context: OperandContext) {}

  filter(key: string, value: unknown, nesting: number): Criteria {
    this.context.limits.condition(key, nesting)
    return allOf(
      members(key === '' ? 'where' : key, value).flatMap(([name, part]) => {
        const at = key === '' ? name : `${key}.${name}`
        if (!Object.hasOwn(PARTS, name)) throw unknownKey(at, Object.keys(PARTS))
        return PARTS[name as PartKey](this, at, part, nesting)
      }),
    )
  }

  filters(key: string, value: unknown, nesting: number): readonly Criteria[] {
    return list(key, value).map((filter, i) => this.filter(`${key}[${i}]`, filter, nesting + 1))
  }

  rootFilter(key: string, root: RootField, value: unknown, nesting: number): readonly Condition[] {
    return this.#conditions(key, { root }, members(key, value), nesting)
  }

  metaFilter(key: string, value: unknown, nesting: number): readonly Condition[] {
    const given = members(key, value)
    const path = given.find(([name]) => name === 'path')?.[1]
    if (typeof path !== 'string') throw invalidCriteria(`${key}.path`, `expected a string, got ${typeInWords(path)}`)
    const field = metaField(`${key}.path`, path, this.context.limits)
    const conditions = given.filter(([name]) => name !== 'path')
    return this.#conditions(key, field, conditions, nesting)
  }

  #conditions(key: string, field: Field, conditions: Members, nesting: number): readonly Condition[] {
    const misplaced = conditions.find(([name]) => 'root' in field && isMetaOnly(name))
    if (misplaced !== undefined) throw invalidCriteria(`${key}.${misplaced[0]}`, 'only meta fields have this operator')
    if (conditions.length === 0) {
      throw invalidCriteria(key, `expected at least one condition of ${wordsOf(field).join(', ')}`)
    }
    return conditions.map(([name, value]) => {
      const at = `${key}.${name}`
      const row = ROWS_BY_WORD.get(name)
      if (row === undefined) throw unknownKey(at, wordsOf(field))
      this.context.limits.condition(at, nesting)
      return { field, test: row.build(checkOperand(row.takes, { key: at, field, value }, this.context), field) }
    })
  }
}

/** The words that a filter of the field has. A root field has fewer than a field of meta. */
function wordsOf(field: Field): readonly string[] {
  return [...ROWS_BY_WORD.keys()].filter((word) => !('root' in field && isMetaOnly(word)))
}

function isMetaOnly(word: string): boolean {
  const row = ROWS_BY_WORD.get(word)
  return row !== undefined && row.describe?.onRoot === undefined
}

function unknownKey(key: string, valid: readonly string[]) {
  return invalidCriteria(key, `unknown key; valid keys: ${valid.join(', ')}`)
}

type Members = readonly (readonly [string, unknown])[]

/** The members of a filter. An undefined member counts as missing. */
function members(key: string, value: unknown): Members {
  if (!isJsonObject(value)) throw invalidCriteria(key, `expected an object, got ${typeInWords(value)}`)
  return Object.entries(value).filter(([, member]) => member !== undefined)
}

function list(key: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidCriteria(key, `expected a list, got ${typeInWords(value)}`)
  return value
}
