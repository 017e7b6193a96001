/** A condition in SQL that holds for every match and, if `exact`, for nothing else. It may be NULL instead of false. */
export interface SqlFragment {
  readonly sql: string
  readonly exact: boolean
}

export const EVERY_ROW: SqlFragment = { sql: 'true', exact: true }
export const NO_ROW: SqlFragment = { sql: 'false', exact: true }
/** Any row may match. */
export const ANY_ROW: SqlFragment = { sql: 'true', exact: false }

export function exactly(sql: string): SqlFragment {
  return { sql, exact: true }
}

export function atLeast(sql: string): SqlFragment {
  return { sql, exact: false }
}

export function and(parts: readonly SqlFragment[]): SqlFragment {
  const exact = parts.every((part) => part.exact)
  const conditions = parts.filter((part) => part.sql !== 'true')
  if (conditions.some((part) => part.sql === 'false')) return NO_ROW
  return { sql: joined(conditions, ' AND ', 'true'), exact }
}

export function or(parts: readonly SqlFragment[]): SqlFragment {
  const exact = parts.every((part) => part.exact)
  const conditions = parts.filter((part) => part.sql !== 'false')
  const everyRow = conditions.filter((part) => part.sql === 'true')
  if (everyRow.length > 0) return everyRow.some((part) => part.exact) ? EVERY_ROW : ANY_ROW
  return { sql: joined(conditions, ' OR ', 'false'), exact }
}

/** Only exact conditions can be negated: the negation of a superset would lose matches. SQL's NULL counts as false. */
export function not(part: SqlFragment): SqlFragment {
  if (!part.exact) return ANY_ROW
  if (part.sql === 'true') return NO_ROW
  if (part.sql === 'false') return EVERY_ROW
  return exactly(`(${part.sql}) IS NOT TRUE`)
}

function joined(parts: readonly SqlFragment[], operator: string, none: string): string {
  if (parts.length === 0) return none
  return parts.length === 1 ? parts[0]!.sql : `(${parts.map((part) => part.sql).join(operator)})`
}
