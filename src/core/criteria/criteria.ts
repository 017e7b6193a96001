import type { Field } from './field.js'
import type { FieldTest } from './operators.js'

/**
 * Which entries match. Both written forms (`find` and `where`) are parsed into this tree. It is matched in memory and
 * translated to SQL.
 */
export type Criteria =
  | { readonly all: readonly Criteria[] }
  | { readonly any: readonly Criteria[] }
  | { readonly not: Criteria }
  | Condition

export interface Condition {
  readonly field: Field
  readonly test: FieldTest
}

/** Matches every entry. */
export const EVERYTHING: Criteria = { all: [] }

/** ANDs the parts. A single part is returned as it is. */
export function allOf(parts: readonly Criteria[]): Criteria {
  return parts.length === 1 ? parts[0]! : { all: parts }
}
