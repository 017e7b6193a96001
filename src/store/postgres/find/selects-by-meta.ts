import type { Condition, Criteria } from '../../../core/criteria/criteria.js'
import { OPERATORS_SQL, type OperatorSql } from './operators-sql.js'

/** Whether the index of meta can look up every match, alone or beside the index of kinds. */
export function selectsByMeta(criteria: Criteria): boolean {
  return indexOf(criteria) === 'meta'
}

/** The index that can look up every match. An alternative of both counts as meta. */
function indexOf(criteria: Criteria): 'meta' | 'kind' | null {
  if ('not' in criteria) return null
  if ('all' in criteria) return best(criteria.all.map(indexOf))
  if (!('any' in criteria)) return indexOfCondition(criteria)
  const found = criteria.any.map(indexOf)
  return found.includes(null) ? null : best(found)
}

function indexOfCondition({ field, test }: Condition): 'meta' | 'kind' | null {
  if ('root' in field) return field.root === 'kind' && ['equals', 'in'].includes(test.operator) ? 'kind' : null
  const { isLookedUp } = OPERATORS_SQL[test.operator] as unknown as OperatorSql
  return isLookedUp?.(test) === true ? 'meta' : null
}

function best(found: readonly ('meta' | 'kind' | null)[]): 'meta' | 'kind' | null {
  if (found.includes('meta')) return 'meta'
  return found.includes('kind') ? 'kind' : null
}
