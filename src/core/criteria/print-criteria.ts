import type { Json, JsonObject } from '../entry/json.js'
import type { Condition, Criteria } from './criteria.js'
import type { Field } from './field.js'
import { OPERATORS, type OperatorRow } from './operators.js'
import type { EntryFilterInput, StringFilterInput, ValueFilterInput } from './parse-where.js'

/**
 * Prints criteria as `where`. Parsing the result gives the same meaning. Returns undefined for `holdsAll` (an array in
 * `find`), the only parsed test that `where` cannot express.
 */
export function printWhere(criteria: Criteria): EntryFilterInput | undefined {
  if ('all' in criteria) return printGroup(criteria.all, (and) => ({ and }))
  if ('any' in criteria) return printGroup(criteria.any, (or) => ({ or }))
  if ('not' in criteria) {
    const not = printWhere(criteria.not)
    return not === undefined ? undefined : { not }
  }
  const printed = printTest(criteria, 'where')
  if (printed === undefined) return undefined
  const filter = { [printed.operator]: printed.operand }
  if ('root' in criteria.field) return { [criteria.field.root]: filter as StringFilterInput }
  return { meta: [{ path: criteria.field.meta, ...filter } as ValueFilterInput] }
}

type Wrap = (filters: readonly EntryFilterInput[]) => EntryFilterInput

function printGroup(parts: readonly Criteria[], wrap: Wrap): EntryFilterInput | undefined {
  const filters = parts.map(printWhere)
  return filters.every((filter) => filter !== undefined) ? wrap(filters) : undefined
}

/**
 * Prints criteria as `find`. Parsing the result gives the same meaning. Returns undefined for anything but ANDed
 * conditions, for operators that `find` does not have, and for two conditions with the same operator and field.
 */
export function printFind(criteria: Criteria): JsonObject | undefined {
  const conditions = conjunction(criteria)
  if (conditions === undefined) return undefined
  const find = new Map<string, Json>()
  for (const condition of conditions) {
    const printed = printTest(condition, 'find')
    if (printed === undefined) return undefined
    const key = printed.operator + fieldText(condition.field)
    if (find.has(key)) return undefined
    find.set(key, printed.operand)
  }
  return Object.fromEntries(find)
}

function conjunction(criteria: Criteria): readonly Condition[] | undefined {
  if ('field' in criteria) return [criteria]
  if (!('all' in criteria)) return undefined
  const parts = criteria.all.map(conjunction)
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined
}

/** Always with `meta.`: a bare field may begin like an operator, a root field or `meta.` itself. */
function fieldText(field: Field): string {
  return 'root' in field ? `.${field.root}` : `meta.${field.meta}`
}

interface PrintedTest {
  readonly operator: string
  readonly operand: Json
}

function printTest({ field, test }: Condition, form: 'find' | 'where'): PrintedTest | undefined {
  const row = OPERATORS[test.operator] as unknown as OperatorRow
  const operator = form === 'find' ? row.symbol : row.word
  if (operator === undefined) return undefined
  const operand = row.print(test, field, form)
  return operand === undefined ? undefined : { operator, operand }
}
