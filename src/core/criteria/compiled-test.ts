import { jsonEquals } from '../entry/canonical-json.js'
import type { Json } from '../entry/json.js'
import { RegistryError } from '../errors/registry-error.js'
import { includesText } from './includes-text.js'

/**
 * @bound Character comparisons for matching one entry, about one second. Only criteria crafted for very long texts in
 * meta reach this. Matching then fails, because any result might be wrong.
 */
const MAX_STEPS = 200_000_000

/** Counts the steps spent on matching one entry, in comparisons of a character. */
export class MatchBudget {
  #left = MAX_STEPS

  /** @throws RegistryError TIMEOUT once the entry has used up its budget */
  readonly spend = (steps: number): void => {
    this.#left -= steps
    if (this.#left < 0) {
      throw new RegistryError(
        'TIMEOUT',
        'The criteria take too long on an entry with very long texts in meta. Use fewer or simpler conditions.',
      )
    }
  }
}

/** Tests the values of a field: none, one or two. */
export type CompiledTest = (values: readonly Json[], budget: MatchBudget) => boolean

export const NEVER: CompiledTest = () => false

/** Passes if any of the field's values passes. */
function anyValue(test: (value: Json, budget: MatchBudget) => boolean): CompiledTest {
  return (values, budget) => values.some((value) => test(value, budget))
}

/** Passes if any of the field's values is a text that passes. */
export function anyText(test: (text: string, budget: MatchBudget) => boolean): CompiledTest {
  return anyValue((value, budget) => typeof value === 'string' && test(value, budget))
}

/** Equals one of these by value. Scalars cost one lookup, however many there are. */
export function equalsAny(values: readonly Json[]): CompiledTest {
  const { scalars, composites } = splitByType(values)
  return anyValue((found) => scalars.has(found) || composites.some((value) => jsonEquals(value, found)))
}

/** Is an array that holds each of these by value. */
export function holdsEvery(values: readonly Json[]): CompiledTest {
  const { scalars, composites } = splitByType(values)
  return anyValue((found, budget) => {
    if (!Array.isArray(found)) return false
    const elements = found as readonly Json[]
    budget.spend(elements.length * (1 + composites.length))
    const missing = new Set(scalars)
    for (const element of elements) if (missing.delete(element) && missing.size === 0) break
    return missing.size === 0 && composites.every((value) => elements.some((element) => jsonEquals(value, element)))
  })
}

/** Has `part` as a substring. With `inElements`, so does an array that has a string element with it. */
export function containsText(part: string, inElements: boolean): CompiledTest {
  const inText = (found: Json, budget: MatchBudget): boolean => {
    if (typeof found !== 'string') return false
    budget.spend(found.length + part.length)
    return includesText(found, part)
  }
  if (!inElements) return anyValue(inText)
  return anyValue((found, budget) => {
    return inText(found, budget) || (Array.isArray(found) && found.some((element) => inText(element as Json, budget)))
  })
}

function splitByType(values: readonly Json[]): { scalars: ReadonlySet<Json>; composites: readonly Json[] } {
  const isScalar = (value: Json) => typeof value !== 'object' || value === null
  return { scalars: new Set(values.filter(isScalar)), composites: values.filter((value) => !isScalar(value)) }
}
