import type { Json } from '../entry/json.js'

/**
 * What entries are to match: the one tree that both written forms (`find` and `where`) are parsed into,
 * that is matched in memory and translated to SQL.
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

export const ROOT_FIELDS = ['id', 'ns', 'name', 'kind'] as const
export type RootField = (typeof ROOT_FIELDS)[number]

export type Field =
  | { readonly root: RootField }
  /** A dotted path within meta, looked up as a path through objects and as one flat key. */
  | { readonly meta: string }

export type FieldTest =
  /** Equal by value: key order does not matter, 1 equals 1.0, arrays are ordered. On a root field a string. */
  | { readonly operator: 'equals'; readonly value: Json }
  /** Also matches a missing field. */
  | { readonly operator: 'notEquals'; readonly value: Json }
  | { readonly operator: 'in'; readonly values: readonly Json[] }
  | { readonly operator: 'exists'; readonly present: boolean }
  /** The field is an array that holds every one of these by value. */
  | { readonly operator: 'holdsAll'; readonly values: readonly Json[] }
  /** `*` any run of characters, `?` one character (code point), `\` escapes. */
  | { readonly operator: 'glob'; readonly pattern: string }
  /** RE2 syntax, unanchored. */
  | { readonly operator: 'regex'; readonly pattern: string }
  /** Substring; `inElements` also looks into the string elements of an array. */
  | { readonly operator: 'contains'; readonly text: string; readonly inElements: boolean }
  | { readonly operator: 'prefix'; readonly text: string }
  | { readonly operator: 'suffix'; readonly text: string }

export type Operator = FieldTest['operator']

/** Matches every entry. */
export const EVERYTHING: Criteria = { all: [] }

/** All of these; one alone stands for itself. */
export function allOf(parts: readonly Criteria[]): Criteria {
  return parts.length === 1 ? parts[0]! : { all: parts }
}

export interface CompiledRegex {
  test(text: string): boolean
  /** Steps that one character of text may take at worst; 1 where the engine does not say. */
  readonly size?: number
}

/** Compiles RE2 syntax; throws an Error whose message says what is wrong. The core has no engine of its own. */
export type CompileRegex = (pattern: string) => CompiledRegex
