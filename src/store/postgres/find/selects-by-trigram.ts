import type { Condition, Criteria } from '../../../core/criteria/criteria.js'
import { OPERATORS_SQL, type OperatorSql } from './operators-sql.js'

/** A trigram index cannot look up a shorter text. */
const SHORTEST = 3

/**
 * Whether every match must hold a text within its id, namespace or name that a trigram index can look up, while the
 * order of ids cannot.
 */
export function selectsByTrigram(criteria: Criteria): boolean {
  if ('all' in criteria) return criteria.all.some(selectsByTrigram)
  if ('any' in criteria) return criteria.any.length > 0 && criteria.any.every(selectsByTrigram)
  if ('not' in criteria) return false
  return 'root' in criteria.field && criteria.field.root !== 'kind' && searchedText(criteria).length >= SHORTEST
}

function searchedText({ test }: Condition): string {
  const { searchedText: textOf } = OPERATORS_SQL[test.operator] as unknown as OperatorSql
  return textOf?.(test) ?? ''
}
