import type { Condition, Criteria } from '../../../core/criteria/criteria.js'
import { metaSql } from './meta-sql.js'
import { type RootColumns, rootSql } from './root-sql.js'
import { and, not, or, type SqlFragment } from './sql-fragment.js'
import { SqlParameters } from './sql-parameters.js'

/** SQL expressions: text columns of collation "C", and meta as jsonb. Given by the code, never by a caller. */
export interface FindColumns extends RootColumns {
  readonly meta: string
}

export interface TranslatedCriteria {
  /** Goes into a WHERE; its parameters are numbered from `firstParam`. */
  readonly text: string
  /** Every one is text. */
  readonly params: readonly string[]
  /**
   * The condition always holds for all matches. True where it holds for nothing else, so that rows may be counted without
   * looking at them; false where `compileMatcher` has to look at each row again.
   */
  readonly exact: boolean
}

/**
 * Criteria as a condition for Postgres 14 and later, in forms that the indexes serve: containment for equality in meta
 * (GIN, jsonb_path_ops), ranges for prefixes, ids split into namespace and name. Regular expressions are not
 * translated: Postgres' own have another syntax and take unbounded time. What text they must hold is.
 */
export function translateCriteria(criteria: Criteria, columns: FindColumns, firstParam = 1): TranslatedCriteria {
  const parameters = new SqlParameters()
  const { sql, exact } = translate(criteria, false, (condition) => translateCondition(condition, columns, parameters))
  return { ...parameters.numbered(sql, firstParam), exact }
}

/** Negation is carried down to the conditions, so that one that is not exact does not blur what stands beside it. */
function translate(criteria: Criteria, negated: boolean, leaf: (condition: Condition) => SqlFragment): SqlFragment {
  if ('all' in criteria) return (negated ? or : and)(criteria.all.map((part) => translate(part, negated, leaf)))
  if ('any' in criteria) return (negated ? and : or)(criteria.any.map((part) => translate(part, negated, leaf)))
  if ('not' in criteria) return translate(criteria.not, !negated, leaf)
  return negated ? not(leaf(criteria)) : leaf(criteria)
}

function translateCondition({ field, test }: Condition, columns: FindColumns, parameters: SqlParameters): SqlFragment {
  if ('root' in field) return rootSql(columns, field.root, test, parameters)
  return metaSql(columns.meta, field.meta, test, parameters)
}
