import type { Condition, Criteria } from '../../../core/criteria/criteria.js'
import { MetaFieldSql } from './meta-field-sql.js'
import { OPERATORS_SQL, type OperatorSql } from './operators-sql.js'
import { type RootColumns, rootFieldSql } from './root-field-sql.js'
import { and, not, or, type SqlFragment } from './sql-fragment.js'
import { SqlParameters } from './sql-parameters.js'

/** SQL expressions: text columns of collation "C", and meta as jsonb. They come from code, never from a caller. */
export interface FindColumns extends RootColumns {
  readonly meta: string
}

export interface TranslatedCriteria {
  /** A condition for WHERE. Its parameters are numbered from `firstParam`. */
  readonly text: string
  /** All are texts. */
  readonly params: readonly string[]
  /**
   * The condition always holds for every match. If true, it holds for nothing else, so rows can be counted in SQL.
   * If false, `compileMatcher` has to check each row.
   */
  readonly exact: boolean
}

/**
 * Translates criteria to a condition for Postgres 14 and later, in forms that the indexes serve. These are containment for
 * equality in meta (GIN, jsonb_path_ops), ranges for prefixes, ids split into namespace and name. For a regular
 * expression, only the text that it requires is translated.
 */
export function translateCriteria(criteria: Criteria, columns: FindColumns, firstParam = 1): TranslatedCriteria {
  const parameters = new SqlParameters()
  const { sql, exact } = translate(criteria, false, (condition) => translateCondition(condition, columns, parameters))
  return { ...parameters.numbered(sql, firstParam), exact }
}

/** Carries negation down to the conditions, so that one inexact condition does not make its neighbours inexact. */
function translate(criteria: Criteria, negated: boolean, leaf: (condition: Condition) => SqlFragment): SqlFragment {
  if ('all' in criteria) return (negated ? or : and)(criteria.all.map((part) => translate(part, negated, leaf)))
  if ('any' in criteria) return (negated ? and : or)(criteria.any.map((part) => translate(part, negated, leaf)))
  if ('not' in criteria) return translate(criteria.not, !negated, leaf)
  return negated ? not(leaf(criteria)) : leaf(criteria)
}

function translateCondition({ field, test }: Condition, columns: FindColumns, parameters: SqlParameters): SqlFragment {
  const sql = OPERATORS_SQL[test.operator] as unknown as OperatorSql
  if ('root' in field) return sql.onRoot(test, rootFieldSql(columns, field.root, parameters))
  return sql.onMeta(test, new MetaFieldSql(columns.meta, field.meta, parameters))
}
