import { isStorable, isStorableText } from '../../../core/criteria/storable-text.js'
import { isJsonObject, type Json } from '../../../core/entry/json.js'
import { and, exactly, NO_ROW, or, type SqlFragment } from './sql-fragment.js'
import type { SqlParameters } from './sql-parameters.js'

/**
 * Up to this many values, each has its own containment, which the GIN index serves. Above, one hashed lookup serves
 * all.
 */
export const MAX_INDEXED_VALUES = 20

/** One of the (at most two) places where a meta field may be. */
interface Place {
  /** jsonb there, NULL if there is nothing. `->` with text does not index into arrays, unlike `#>`. */
  readonly value: string
  /** Contains this value there: `meta @> …`, which the index serves. */
  readonly holding: (value: Json) => string
}

/** Conditions on one meta field, which is looked up both as a path and as a flat key. */
export class MetaFieldSql {
  readonly parameters: SqlParameters
  readonly #places: readonly Place[]

  /** @param meta a jsonb column */
  constructor(meta: string, field: string, parameters: SqlParameters) {
    this.parameters = parameters
    const flat = [field]
    const path = field.split('.')
    const paths = !isStorableText(field) ? [] : path.length === 1 ? [flat] : [path, flat]
    this.#places = paths.map((keys) => placeAt(meta, keys, parameters))
  }

  equals(value: Json): SqlFragment {
    return or(this.#places.map((place) => equalsAt(place, value, this.parameters)))
  }

  isOneOf(values: readonly Json[]): SqlFragment {
    if (values.length <= MAX_INDEXED_VALUES) return or(values.map((value) => this.equals(value)))
    const list = `(SELECT jsonb_array_elements(${this.parameters.json(values)}))`
    return or(this.#places.map(({ value }) => exactly(`${value} IN ${list}`)))
  }

  exists(): SqlFragment {
    return or(this.#places.map(({ value }) => exactly(`${value} IS NOT NULL`)))
  }

  holdsAll(values: readonly Json[]): SqlFragment {
    return or(this.#places.map((place) => holdsAllAt(place, values, this.parameters)))
  }

  includes(part: string, inElements: boolean): SqlFragment {
    const required = this.parameters.text(part)
    const inText = this.isText((text) => `strpos(${text}, ${required}) > 0`)
    if (!inElements) return inText
    return or([
      inText,
      ...this.#places.map(({ value }) =>
        exactly(
          `EXISTS (SELECT FROM jsonb_array_elements(${arrayOrEmpty(value)}) element` +
            ` WHERE jsonb_typeof(element) = 'string' AND strpos(element #>> '{}', ${required}) > 0)`,
        ),
      ),
    ])
  }

  /** Is a text, and passes the test if one is given: SQL over the text expression. */
  isText(test?: (text: string) => string): SqlFragment {
    return or(
      this.#places.map(({ value }) => {
        const isText = exactly(`jsonb_typeof(${value}) = 'string'`)
        return test === undefined ? isText : and([isText, exactly(test(`(${value} #>> '{}')`))])
      }),
    )
  }
}

function placeAt(meta: string, keys: readonly string[], parameters: SqlParameters): Place {
  // A key such as __proto__ is like any other: fromEntries defines it, but an assignment would not.
  const around = (value: Json) => keys.reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), value)
  return {
    value: `(${[meta, ...keys.map((key) => parameters.text(key))].join(' -> ')})`,
    holding: (value) => `${meta} @> ${parameters.json(around(value))}`,
  }
}

/**
 * For a scalar, containment below an object's key is equality. For arrays and objects it is weaker (`{a: [1, 2]}`
 * contains `{a: [1]}`), so jsonb's own equality decides.
 */
function equalsAt(place: Place, value: Json, parameters: SqlParameters): SqlFragment {
  if (!isStorable(value)) return NO_ROW
  if (isScalar(value)) return exactly(place.holding(value))
  const equal = exactly(`${place.value} = ${parameters.json(value)}`)
  return holdsScalar(value) ? and([exactly(place.holding(value)), equal]) : equal
}

function holdsAllAt(place: Place, values: readonly Json[], parameters: SqlParameters): SqlFragment {
  const isArray = exactly(`jsonb_typeof(${place.value}) = 'array'`)
  const contained = holdsScalar(values) ? exactly(place.holding(values)) : isArray
  const others = values
    .filter((value) => !isScalar(value))
    .map((value) =>
      exactly(
        `EXISTS (SELECT FROM jsonb_array_elements(${arrayOrEmpty(place.value)}) element WHERE element = ${parameters.json(value)})`,
      ),
    )
  return and([contained, ...others])
}

/**
 * Set-returning functions fail on anything but an array, and SQL does not guarantee the order in which AND is
 * evaluated.
 */
function arrayOrEmpty(value: string): string {
  return `CASE WHEN jsonb_typeof(${value}) = 'array' THEN ${value} ELSE '[]'::jsonb END`
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null
}

/** Without a scalar, the index has nothing to look up, and Postgres would read all of it. */
export function holdsScalar(value: Json): boolean {
  if (isScalar(value)) return true
  return (isJsonObject(value) ? Object.values(value) : (value as readonly Json[])).some(holdsScalar)
}
