import { canonicalJson } from '../entry/canonical-json.js'
import { compareText } from '../entry/text.js'
import type { Criteria } from './criteria.js'
import type { Field } from './field.js'
import type { FieldTest } from './operators.js'

/**
 * Prints a cache key: the same for criteria that differ only in the order of conditions, repeated conditions, ANDs within
 * ANDs or the key order of values. Equal keys always mean equal answers. Different keys may, too, which only costs a cache
 * hit.
 */
export function criteriaKey(criteria: Criteria): string {
  if ('all' in criteria)
    return groupKey(
      'all',
      flattened(criteria.all, (part) => ('all' in part ? part.all : undefined)),
    )
  if ('any' in criteria)
    return groupKey(
      'any',
      flattened(criteria.any, (part) => ('any' in part ? part.any : undefined)),
    )
  if ('not' in criteria) return `not(${criteriaKey(criteria.not)})`
  return `${fieldKey(criteria.field)}${testKey(criteria.test)}`
}

function groupKey(name: 'all' | 'any', parts: readonly Criteria[]): string {
  const keys = distinct(parts.map(criteriaKey))
  return keys.length === 1 ? keys[0]! : `${name}(${keys.join(',')})`
}

type Inner = (part: Criteria) => readonly Criteria[] | undefined

function flattened(parts: readonly Criteria[], inner: Inner): readonly Criteria[] {
  return parts.flatMap((part) => {
    const nested = inner(part)
    return nested === undefined ? [part] : flattened(nested, inner)
  })
}

function fieldKey(field: Field): string {
  return 'root' in field ? `.${field.root}` : `meta${JSON.stringify(field.meta)}`
}

function testKey(test: FieldTest): string {
  if (!('values' in test)) return canonicalJson({ ...test })
  return `${test.operator}[${distinct(test.values.map(canonicalJson)).join(',')}]`
}

function distinct(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)].sort(compareText)
}
