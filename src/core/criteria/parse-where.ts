import { isJsonObject, type Json } from '../entry/json.js'
import { ConditionBuilder } from './condition-builder.js'
import { allOf, type CompileRegex, type Condition, type Criteria, type Field, type RootField } from './criteria.js'
import { invalidCriteria, typeInWords } from './invalid-criteria.js'

type Optional<T> = { readonly [K in keyof T]?: T[K] | null | undefined }

interface TextConditions {
  readonly glob: string
  readonly regex: string
  readonly contains: string
  readonly prefix: string
  readonly suffix: string
}

/** The contract's `StringFilter`. */
export type StringFilterInput = Optional<
  TextConditions & {
    readonly eq: string
    readonly ne: string
    readonly in: readonly string[]
  }
>

/** The contract's `ValueFilter`. `eq: null` and `ne: null` are conditions: null is a value like any other. */
export type ValueFilterInput = { readonly path: string } & Optional<
  TextConditions & {
    readonly eq: Json
    readonly ne: Json
    readonly in: readonly Json[]
    readonly exists: boolean
  }
>

/** The contract's `EntryFilter`. */
export type EntryFilterInput = Optional<
  Record<RootField, StringFilterInput> & {
    readonly meta: readonly ValueFilterInput[]
    readonly and: readonly EntryFilterInput[]
    readonly or: readonly EntryFilterInput[]
    readonly not: EntryFilterInput
  }
>

type ConditionKey = keyof StringFilterInput | 'exists'
type MakeCondition = (builder: ConditionBuilder, key: string, field: Field, value: unknown) => Condition

const CONDITIONS: Record<ConditionKey, MakeCondition> = {
  eq: (builder, key, field, value) => builder.equals(key, field, value),
  ne: (builder, key, field, value) => builder.notEquals(key, field, value),
  in: (builder, key, field, value) => builder.in(key, field, value),
  exists: (builder, key, field, value) => builder.exists(key, field, value),
  glob: (builder, key, field, value) => builder.glob(key, field, value),
  regex: (builder, key, field, value) => builder.regex(key, field, value),
  contains: (builder, key, field, value) => builder.contains(key, field, value),
  prefix: (builder, key, field, value) => builder.prefix(key, field, value),
  suffix: (builder, key, field, value) => builder.suffix(key, field, value),
}

const CONDITION_NAMES = Object.keys(CONDITIONS).join(', ')

type PartKey = keyof EntryFilterInput
type ParsePart = (parser: WhereParser, key: string, value: unknown, nesting: number) => readonly Criteria[]

const PARTS: Record<PartKey, ParsePart> = {
  id: (parser, key, value, nesting) => parser.strings(key, 'id', value, nesting),
  ns: (parser, key, value, nesting) => parser.strings(key, 'ns', value, nesting),
  name: (parser, key, value, nesting) => parser.strings(key, 'name', value, nesting),
  kind: (parser, key, value, nesting) => parser.strings(key, 'kind', value, nesting),
  meta: (parser, key, value, nesting) =>
    list(key, value).flatMap((filter, i) => parser.values(`${key}[${i}]`, filter, nesting)),
  and: (parser, key, value, nesting) => [allOf(parser.filters(key, value, nesting))],
  or: (parser, key, value, nesting) => [{ any: parser.filters(key, value, nesting) }],
  not: (parser, key, value, nesting) => [{ not: parser.filter(key, value, nesting + 1) }],
}

/**
 * The typed form. What a filter says is ANDed; a filter that says nothing matches everything.
 *
 * A key that is left out (or undefined) is no condition. A key that is null is refused, save for `eq` and
 * `ne` of a meta field: taken as left out, a variable that happens to be null would match everything. So is
 * a string or value filter without a condition. `path` is within meta and has no operators or `meta.` in it.
 *
 * @throws RegistryError INVALID_CRITERIA naming where, e.g. `or[1].meta[0].regex`, and why
 */
export function parseWhere(where: EntryFilterInput, compileRegex: CompileRegex): Criteria {
  return new WhereParser(new ConditionBuilder(compileRegex)).filter('', where, 0)
}

class WhereParser {
  constructor(readonly builder: ConditionBuilder) {}

  filter(key: string, value: unknown, nesting: number): Criteria {
    this.builder.bounds.condition(key, nesting)
    return allOf(
      given(key === '' ? 'where' : key, value).flatMap(([name, part]) => {
        const at = key === '' ? name : `${key}.${name}`
        if (!Object.hasOwn(PARTS, name))
          throw invalidCriteria(at, `unknown; there are ${Object.keys(PARTS).join(', ')}`)
        return PARTS[name as PartKey](this, at, part, nesting)
      }),
    )
  }

  filters(key: string, value: unknown, nesting: number): readonly Criteria[] {
    return list(key, value).map((filter, i) => this.filter(`${key}[${i}]`, filter, nesting + 1))
  }

  strings(key: string, root: RootField, value: unknown, nesting: number): readonly Condition[] {
    const conditions = given(key, value)
    const misplaced = conditions.find(([name]) => name === 'exists')
    if (misplaced !== undefined) throw invalidCriteria(`${key}.exists`, 'only a meta field may be missing')
    return this.#conditions(key, { root }, conditions, nesting)
  }

  values(key: string, value: unknown, nesting: number): readonly Condition[] {
    const members = given(key, value)
    const path = members.find(([name]) => name === 'path')?.[1]
    if (typeof path !== 'string') throw invalidCriteria(`${key}.path`, `takes a string, not ${typeInWords(path)}`)
    const field = this.builder.metaField(`${key}.path`, path)
    return this.#conditions(
      key,
      field,
      members.filter(([name]) => name !== 'path'),
      nesting,
    )
  }

  #conditions(key: string, field: Field, conditions: Members, nesting: number): readonly Condition[] {
    if (conditions.length === 0) throw invalidCriteria(key, `has no condition; there are ${CONDITION_NAMES}`)
    return conditions.map(([name, value]) => {
      const at = `${key}.${name}`
      if (!Object.hasOwn(CONDITIONS, name)) throw invalidCriteria(at, `unknown; there are ${CONDITION_NAMES}`)
      this.builder.bounds.condition(at, nesting)
      return CONDITIONS[name as ConditionKey](this.builder, at, field, value)
    })
  }
}

type Members = readonly (readonly [string, unknown])[]

/** The members that were given: undefined is as good as left out. */
function given(key: string, value: unknown): Members {
  if (!isJsonObject(value)) throw invalidCriteria(key, `takes an object, not ${typeInWords(value)}`)
  return Object.entries(value).filter(([, member]) => member !== undefined)
}

function list(key: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidCriteria(key, `takes a list, not ${typeInWords(value)}`)
  return value
}
