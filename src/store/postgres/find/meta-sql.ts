import type { FieldTest, Operator } from '../../../core/criteria/criteria.js'
import { parseGlob } from '../../../core/criteria/glob.js'
import { isStorable, isStorableText } from '../../../core/criteria/storable-text.js'
import { isJsonObject, type Json } from '../../../core/entry/json.js'
import { requiredLiteral } from './required-literal.js'
import { and, atLeast, exactly, NO_ROW, not, or, type SqlFragment } from './sql-fragment.js'
import type { SqlParameters } from './sql-parameters.js'
import { likeOf } from './text-sql.js'

/** Up to this many values each gets a containment of its own, which the GIN index serves; above, one hashed look-up. */
const MAX_INDEXED_VALUES = 20

/** One of the (at most two) places where a meta field may be: a way through objects. */
interface Place {
  /** jsonb there, NULL where nothing is. `->` with text does not index into arrays, unlike `#>`. */
  readonly value: string
  /** The meta that holds this there: for `meta @> …`, which the index serves. */
  readonly holding: (value: Json) => string
}

type MetaTest<O extends Operator> = (
  test: Extract<FieldTest, { operator: O }>,
  places: readonly Place[],
  parameters: SqlParameters,
) => SqlFragment

const META_TESTS: { readonly [O in Operator]: MetaTest<O> } = {
  equals: ({ value }, places, parameters) => or(places.map((place) => equalsAt(place, value, parameters))),
  notEquals: ({ value }, places, parameters) => not(or(places.map((place) => equalsAt(place, value, parameters)))),
  in: ({ values }, places, parameters) => {
    const keepable = values.filter(isStorable)
    if (keepable.length <= MAX_INDEXED_VALUES) {
      return or(keepable.flatMap((value) => places.map((place) => equalsAt(place, value, parameters))))
    }
    const list = `(SELECT jsonb_array_elements(${parameters.json(keepable)}))`
    return or(places.map(({ value }) => exactly(`${value} IN ${list}`)))
  },
  exists: ({ present }, places) => {
    const there = or(places.map(({ value }) => exactly(`${value} IS NOT NULL`)))
    return present ? there : not(there)
  },
  holdsAll: ({ values }, places, parameters) => or(places.map((place) => holdsAllAt(place, values, parameters))),
  glob: ({ pattern }, places, parameters) => {
    if (!isStorableText(pattern)) return NO_ROW
    return textAt(places, (text) => `${text} LIKE ${parameters.text(likeOf(parseGlob(pattern)))}`)
  },
  regex: ({ pattern }, places, parameters) => {
    const literal = requiredLiteral(pattern)
    if (literal === undefined) return atLeast(textAt(places, () => 'true').sql)
    const required = parameters.text(literal.text)
    const found = textAt(places, (text) => {
      return literal.anchored ? `starts_with(${text}, ${required})` : `strpos(${text}, ${required}) > 0`
    })
    return literal.complete ? found : atLeast(found.sql)
  },
  contains: ({ text: part, inElements }, places, parameters) => {
    if (!isStorableText(part)) return NO_ROW
    const inText = textAt(places, (text) => `strpos(${text}, ${parameters.text(part)}) > 0`)
    if (!inElements) return inText
    return or([
      inText,
      ...places.map(({ value }) =>
        exactly(
          `EXISTS (SELECT FROM jsonb_array_elements(${arrayOrNone(value)}) element` +
            ` WHERE jsonb_typeof(element) = 'string' AND strpos(element #>> '{}', ${parameters.text(part)}) > 0)`,
        ),
      ),
    ])
  },
  prefix: ({ text: part }, places, parameters) =>
    isStorableText(part) ? textAt(places, (text) => `starts_with(${text}, ${parameters.text(part)})`) : NO_ROW,
  suffix: ({ text: part }, places, parameters) => {
    if (!isStorableText(part)) return NO_ROW
    const suffix = parameters.text(part)
    return textAt(places, (text) => `right(${text}, length(${suffix})) = ${suffix}`)
  },
}

/** A test of a meta field, looked up as a path and as a flat key. `meta` is a jsonb column. */
export function metaSql(meta: string, field: string, test: FieldTest, parameters: SqlParameters): SqlFragment {
  const flat = [field]
  const path = field.split('.')
  const ways = !isStorableText(field) ? [] : path.length === 1 ? [flat] : [path, flat]
  const places = ways.map((way) => placeAt(meta, way, parameters))
  return (META_TESTS[test.operator] as MetaTest<Operator>)(test, places, parameters)
}

function placeAt(meta: string, way: readonly string[], parameters: SqlParameters): Place {
  // A key such as __proto__ is one like any other: fromEntries defines, where an assignment would not.
  const around = (value: Json) => way.reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), value)
  return {
    value: `(${[meta, ...way.map((key) => parameters.text(key))].join(' -> ')})`,
    holding: (value) => `${meta} @> ${parameters.json(around(value))}`,
  }
}

/**
 * Of a scalar, containment below an object's key is equality. Of arrays and objects it is less (`{a: [1, 2]}` contains
 * `{a: [1]}`), and jsonb's own equality decides.
 */
function equalsAt(place: Place, value: Json, parameters: SqlParameters): SqlFragment {
  if (!isStorable(value)) return NO_ROW
  if (isScalar(value)) return exactly(place.holding(value))
  const equal = exactly(`${place.value} = ${parameters.json(value)}`)
  return holdsScalar(value) ? and([exactly(place.holding(value)), equal]) : equal
}

function holdsAllAt(place: Place, values: readonly Json[], parameters: SqlParameters): SqlFragment {
  if (!values.every(isStorable)) return NO_ROW
  const isArray = exactly(`jsonb_typeof(${place.value}) = 'array'`)
  const contained = holdsScalar(values) ? exactly(place.holding(values)) : isArray
  const others = values
    .filter((value) => !isScalar(value))
    .map((value) =>
      exactly(
        `EXISTS (SELECT FROM jsonb_array_elements(${arrayOrNone(place.value)}) element WHERE element = ${parameters.json(value)})`,
      ),
    )
  return and([contained, ...others])
}

function textAt(places: readonly Place[], test: (text: string) => string): SqlFragment {
  return or(
    places.map(({ value }) => {
      const passes = test(`(${value} #>> '{}')`)
      const isText = exactly(`jsonb_typeof(${value}) = 'string'`)
      return passes === 'true' ? isText : and([isText, exactly(passes)])
    }),
  )
}

/** Set-returning functions fail on what is no array, and the order in which AND is evaluated is not promised. */
function arrayOrNone(value: string): string {
  return `CASE WHEN jsonb_typeof(${value}) = 'array' THEN ${value} ELSE '[]'::jsonb END`
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null
}

/** Without one the index has nothing to look up: it would be read whole. */
function holdsScalar(value: Json): boolean {
  if (isScalar(value)) return true
  return (isJsonObject(value) ? Object.values(value) : (value as readonly Json[])).some(holdsScalar)
}
