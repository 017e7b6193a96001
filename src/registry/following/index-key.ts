import type { Criteria } from '../../core/criteria/criteria.js'
import type { Field, RootField } from '../../core/criteria/field.js'
import type { Json } from '../../core/entry/json.js'

/** A JSON value that is neither an object nor an array. */
export type Scalar = string | number | boolean | null

/** The index key of criteria. Every matching entry has one of these values in this field. */
export interface IndexKey {
  readonly field: Field
  readonly values: readonly Scalar[]
}

/** @bound Values by which a filter is indexed. A filter with more values sees every change. */
const MAX_VALUES = 1_000

/** Root fields, the most selective first. */
const MOST_SELECTIVE_FIRST: readonly RootField[] = ['id', 'name', 'ns', 'kind']

/** Returns the index key of criteria. Null if there is none: any entry may match. */
export function indexKeyOf(criteria: Criteria): IndexKey | null {
  if ('not' in criteria) return null
  if ('all' in criteria) {
    const parts = criteria.all.map(indexKeyOf).filter((indexKey) => indexKey !== null)
    return parts.sort((a, b) => rank(a) - rank(b) || a.values.length - b.values.length)[0] ?? null
  }
  if ('any' in criteria) return union(criteria.any.map(indexKeyOf))
  const { field, test } = criteria
  const values = test.operator === 'equals' ? [test.value] : test.operator === 'in' ? test.values : null
  return values !== null && values.length <= MAX_VALUES && values.every(isScalar) ? { field, values } : null
}

/** Whether a JSON value is neither an object nor an array. */
export function isScalar(value: Json): value is Scalar {
  return value === null || typeof value !== 'object'
}

/** Returns the name of a field as a map key. */
export function fieldKey(field: Field): string {
  return 'root' in field ? field.root : `meta.${field.meta}`
}

function union(parts: readonly (IndexKey | null)[]): IndexKey | null {
  const [first] = parts
  if (first === undefined || first === null) return null
  const values = new Set<Scalar>()
  for (const part of parts) {
    if (part === null || fieldKey(part.field) !== fieldKey(first.field)) return null
    for (const value of part.values) values.add(value)
  }
  return values.size <= MAX_VALUES ? { field: first.field, values: [...values] } : null
}

function rank({ field }: IndexKey): number {
  return 'root' in field ? MOST_SELECTIVE_FIRST.indexOf(field.root) : MOST_SELECTIVE_FIRST.length
}
