import type { Json, JsonObject } from '../entry/json.js'
import type { Condition, Criteria, Field, FieldTest, Operator } from './criteria.js'
import { escapeGlob } from './glob.js'
import type { EntryFilterInput, StringFilterInput, ValueFilterInput } from './parse-where.js'

type Words = Readonly<Record<string, Json>> | undefined
type Printed<O extends Operator> = (test: Extract<FieldTest, { operator: O }>, root: boolean) => Words
type Table = { readonly [O in Operator]: Printed<O> }

const WHERE: Table = {
  equals: ({ value }) => ({ eq: value }),
  notEquals: ({ value }) => ({ ne: value }),
  in: ({ values }) => ({ in: values }),
  exists: ({ present }, root) => (root ? undefined : { exists: present }),
  holdsAll: () => undefined,
  glob: ({ pattern }) => ({ glob: pattern }),
  regex: ({ pattern }) => ({ regex: pattern }),
  // A root field is no array: there it does not matter whether elements would be looked into.
  contains: ({ text, inElements }, root) => (inElements || root ? { contains: text } : undefined),
  prefix: ({ text }) => ({ prefix: text }),
  suffix: ({ text }) => ({ suffix: text }),
}

/** Each with the operator that stands before the field. */
const FIND: Table = {
  equals: ({ value }, root) => {
    if (root) return typeof value === 'string' ? { '': escapeGlob(value) } : undefined
    return Array.isArray(value) ? undefined : { '': value }
  },
  notEquals: () => undefined,
  in: () => undefined,
  exists: () => undefined,
  holdsAll: ({ values }, root) => (root ? undefined : { '': values }),
  glob: ({ pattern }, root) => (root ? { '': pattern } : undefined),
  regex: ({ pattern }) => ({ '~': pattern }),
  contains: ({ text, inElements }, root) => (inElements || root ? { '*': text } : undefined),
  prefix: ({ text }) => ({ '^': text }),
  suffix: ({ text }) => ({ $: text }),
}

/**
 * Criteria in the typed form, such that parsing it gives the same meaning. It has words for all that a parser
 * gives, save `holdsAll` (an array in `find`): undefined where one occurs.
 */
export function printWhere(criteria: Criteria): EntryFilterInput | undefined {
  if ('all' in criteria) return wrapped(criteria.all, (and) => ({ and }))
  if ('any' in criteria) return wrapped(criteria.any, (or) => ({ or }))
  if ('not' in criteria) {
    const not = printWhere(criteria.not)
    return not === undefined ? undefined : { not }
  }
  const filter = printTest(WHERE, criteria)
  if (filter === undefined) return undefined
  if ('root' in criteria.field) return { [criteria.field.root]: filter as StringFilterInput }
  return { meta: [{ path: criteria.field.meta, ...filter } as ValueFilterInput] }
}

type Wrap = (filters: readonly EntryFilterInput[]) => EntryFilterInput

function wrapped(parts: readonly Criteria[], wrap: Wrap): EntryFilterInput | undefined {
  const filters = parts.map(printWhere)
  return filters.every((filter) => filter !== undefined) ? wrap(filters) : undefined
}

/**
 * Criteria in the registry's own form, such that parsing it gives the same meaning. It has words for ANDed
 * conditions only, none for `notEquals`, `in`, `exists`, for globs and equality with an array on meta fields, nor
 * for the same operator on the same field twice: undefined where one of these occurs.
 */
export function printFind(criteria: Criteria): JsonObject | undefined {
  const conditions = conjunction(criteria)
  if (conditions === undefined) return undefined
  const find = new Map<string, Json>()
  for (const condition of conditions) {
    const printed = printTest(FIND, condition)
    if (printed === undefined) return undefined
    for (const [operator, value] of Object.entries(printed)) {
      const key = operator + fieldText(condition.field)
      if (find.has(key)) return undefined
      find.set(key, value)
    }
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

function printTest(table: Table, { field, test }: Condition): Words {
  return (table[test.operator] as Printed<Operator>)(test, 'root' in field)
}
