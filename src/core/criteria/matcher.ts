import { jsonEquals } from '../entry/canonical-json.js'
import type { Json } from '../entry/json.js'
import { RegistryError } from '../errors/registry-error.js'
import { compileField, type Matchable } from './compile-field.js'
import type { CompileRegex, Criteria, FieldTest, Operator } from './criteria.js'
import { matchGlob, parseGlob } from './glob.js'
import { includesText } from './includes-text.js'
import { isStorableText } from './storable-text.js'

export type Matcher = (entry: Matchable) => boolean

/**
 * @bound Character comparisons for matching one entry, about one second. Only very long texts in meta with criteria
 * made for it reach this; then matching ends in an error, because any answer might be wrong.
 */
export const MAX_STEPS = 200_000_000
/** A step of a regex engine in comparisons of a character (measured: 75 million a second against 300). */
const REGEX_STEP = 4

class Work {
  #left = MAX_STEPS

  readonly spend = (steps: number): void => {
    this.#left -= steps
    if (this.#left < 0) {
      throw new RegistryError(
        'TIMEOUT',
        'the criteria take too long on an entry with very long texts in meta; ask for less at once',
      )
    }
  }
}

/** Whether what was found in a field (nothing, one value, or two) passes the test. */
type CompiledTest = (values: readonly Json[], work: Work) => boolean
type CompileTest<O extends Operator> = (
  test: Extract<FieldTest, { operator: O }>,
  compileRegex: CompileRegex,
) => CompiledTest

const NEVER: CompiledTest = () => false

const TESTS: { readonly [O in Operator]: CompileTest<O> } = {
  equals: ({ value }) => some((found) => jsonEquals(value, found)),
  // The negation of equals: of a field that is there twice neither may be equal.
  notEquals:
    ({ value }) =>
    (values) =>
      !values.some((found) => jsonEquals(value, found)),
  in: ({ values }) => {
    const scalars = new Set(values.filter(isScalar))
    const others = values.filter((value) => !isScalar(value))
    return some((found) => scalars.has(found) || others.some((value) => jsonEquals(value, found)))
  },
  exists:
    ({ present }) =>
    (values) =>
      values.length > 0 === present,
  holdsAll: ({ values }) => compileHoldsAll(values),
  glob: ({ pattern }) => {
    const tokens = parseGlob(pattern)
    return isStorableText(pattern) ? someText((text, work) => matchGlob(tokens, text, work.spend)) : NEVER
  },
  regex: ({ pattern }, compileRegex) => {
    const regex = compileRegex(pattern)
    const size = REGEX_STEP * (regex.size ?? 1)
    return someText((text, work) => {
      work.spend(text.length * size)
      return regex.test(text)
    })
  },
  contains: ({ text: part, inElements }) => {
    if (!isStorableText(part)) return NEVER
    const inText = (found: Json, work: Work): boolean => {
      if (typeof found !== 'string') return false
      work.spend(found.length + part.length)
      return includesText(found, part)
    }
    if (!inElements) return some(inText)
    return some((found, work) => {
      return inText(found, work) || (Array.isArray(found) && found.some((element) => inText(element as Json, work)))
    })
  },
  prefix: ({ text: part }) => (isStorableText(part) ? someText((text) => text.startsWith(part)) : NEVER),
  suffix: ({ text: part }) => (isStorableText(part) ? someText((text) => text.endsWith(part)) : NEVER),
}

/**
 * The reference meaning of criteria: every store gives the answers that this gives.
 * The matcher throws RegistryError TIMEOUT where one entry would take more than about a second.
 */
export function compileMatcher(criteria: Criteria, compileRegex: CompileRegex): Matcher {
  const matches = compileNode(criteria, compileRegex)
  return (entry) => matches(entry, new Work())
}

type Node = (entry: Matchable, work: Work) => boolean

function compileNode(criteria: Criteria, compileRegex: CompileRegex): Node {
  if ('all' in criteria) {
    const parts = cheapFirst(criteria.all).map((part) => compileNode(part, compileRegex))
    return (entry, work) => parts.every((part) => part(entry, work))
  }
  if ('any' in criteria) {
    const parts = cheapFirst(criteria.any).map((part) => compileNode(part, compileRegex))
    return (entry, work) => parts.some((part) => part(entry, work))
  }
  if ('not' in criteria) {
    const part = compileNode(criteria.not, compileRegex)
    return (entry, work) => !part(entry, work)
  }
  const valuesOf = compileField(criteria.field)
  const test = compileTest(criteria.test, compileRegex)
  return (entry, work) => test(valuesOf(entry), work)
}

function compileTest<O extends Operator>(
  test: Extract<FieldTest, { operator: O }>,
  compileRegex: CompileRegex,
): CompiledTest {
  return (TESTS[test.operator as O] as CompileTest<O>)(test, compileRegex)
}

/** Conditions on id and kind before those for which meta may have to be parsed. */
function cheapFirst(parts: readonly Criteria[]): readonly Criteria[] {
  const isCheap = (part: Criteria) => 'field' in part && 'root' in part.field
  return [...parts.filter(isCheap), ...parts.filter((part) => !isCheap(part))]
}

function compileHoldsAll(values: readonly Json[]): CompiledTest {
  const scalars = new Set(values.filter(isScalar))
  const others = values.filter((value) => !isScalar(value))
  return some((found, work) => {
    if (!Array.isArray(found)) return false
    const elements = found as readonly Json[]
    work.spend(elements.length * (1 + others.length))
    const missing = new Set(scalars)
    for (const element of elements) if (missing.delete(element) && missing.size === 0) break
    return missing.size === 0 && others.every((value) => elements.some((element) => jsonEquals(value, element)))
  })
}

function some(test: (found: Json, work: Work) => boolean): CompiledTest {
  return (values, work) => values.some((found) => test(found, work))
}

function someText(test: (text: string, work: Work) => boolean): CompiledTest {
  return some((found, work) => typeof found === 'string' && test(found, work))
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null
}
