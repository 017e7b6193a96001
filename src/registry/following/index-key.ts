import type { Criteria } from '../../core/criteria/criteria.js'
import type { Field, RootField } from '../../core/criteria/field.js'
import type { Json } from '../../core/entry/json.js'

export type Scalar = string | number | boolean | null

/** What some criteria can be indexed by: an entry that matches them holds one of these values in this field. */
export interface IndexKey {
  readonly field: Field
  readonly values: readonly Scalar[]
}

/** @bound Values by which a filter is indexed. A filter with more values sees every change. */
const MOST_VALUES = 1_000

/** The fewer entries share a value of a field, the better it is to be found by. */
const FEWEST_FIRST: readonly RootField[] = ['id', 'name', 'ns', 'kind']

/** Null where nothing of the kind can be told: any entry may match. */
export function indexKeyOf(criteria: Criteria): IndexKey | null {
  if ('not' in criteria) return null
  if ('all' in criteria) {
    const parts = criteria.all.map(indexKeyOf).filter((interest) => interest !== null)
    return parts.sort((a, b) => rank(a) - rank(b) || a.values.length - b.values.length)[0] ?? null
  }
  if ('any' in criteria) return united(criteria.any.map(indexKeyOf))
  const { field, test } = criteria
  const values = test.operator === 'equals' ? [test.value] : test.operator === 'in' ? test.values : null
  return values !== null && values.length <= MOST_VALUES && values.every(isScalar) ? { field, values } : null
}

export function isScalar(value: Json): value is Scalar {
  return value === null || typeof value !== 'object'
}

/** Names a field, as keys of a map do. */
export function fieldKey(field: Field): string {
  return 'root' in field ? field.root : `meta.${field.meta}`
}

function united(parts: readonly (IndexKey | null)[]): IndexKey | null {
  const [first] = parts
  if (first === undefined || first === null) return null
  const values = new Set<Scalar>()
  for (const part of parts) {
    if (part === null || fieldKey(part.field) !== fieldKey(first.field)) return null
    for (const value of part.values) values.add(value)
  }
  return values.size <= MOST_VALUES ? { field: first.field, values: [...values] } : null
}

function rank({ field }: IndexKey): number {
  return 'root' in field ? FEWEST_FIRST.indexOf(field.root) : FEWEST_FIRST.length
}
