import type { CompileRegex } from './compiled-regex.js'
import { type CompiledTest, MatchBudget } from './compiled-test.js'
import type { Criteria } from './criteria.js'
import { compileField, type Matchable } from './field.js'
import { type FieldTest, OPERATORS, type OperatorRow } from './operators.js'

export type Matcher = (entry: Matchable) => boolean

/**
 * Compiles criteria to a function that says whether an entry matches. This is the reference meaning: every store
 * gives the same answers.
 * @throws RegistryError TIMEOUT (the matcher) for an entry that would take more than about a second
 */
export function compileMatcher(criteria: Criteria, compileRegex: CompileRegex): Matcher {
  const matches = compileNode(criteria, compileRegex)
  return (entry) => matches(entry, new MatchBudget())
}

type Node = (entry: Matchable, budget: MatchBudget) => boolean

function compileNode(criteria: Criteria, compileRegex: CompileRegex): Node {
  if ('all' in criteria) {
    const parts = cheapFirst(criteria.all).map((part) => compileNode(part, compileRegex))
    return (entry, budget) => parts.every((part) => part(entry, budget))
  }
  if ('any' in criteria) {
    const parts = cheapFirst(criteria.any).map((part) => compileNode(part, compileRegex))
    return (entry, budget) => parts.some((part) => part(entry, budget))
  }
  if ('not' in criteria) {
    const part = compileNode(criteria.not, compileRegex)
    return (entry, budget) => !part(entry, budget)
  }
  const valuesOf = compileField(criteria.field)
  const test = compileTest(criteria.test, compileRegex)
  return (entry, budget) => test(valuesOf(entry), budget)
}

function compileTest(test: FieldTest, compileRegex: CompileRegex): CompiledTest {
  return (OPERATORS[test.operator] as unknown as OperatorRow).match(test, compileRegex)
}

/** Puts conditions on root fields before conditions for which meta may have to be parsed. */
function cheapFirst(parts: readonly Criteria[]): readonly Criteria[] {
  const isCheap = (part: Criteria) => 'field' in part && 'root' in part.field
  return [...parts.filter(isCheap), ...parts.filter((part) => !isCheap(part))]
}
