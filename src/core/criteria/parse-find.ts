import type { JsonObject } from '../entry/json.js'
import { ConditionBuilder } from './condition-builder.js'
import {
  allOf,
  type CompileRegex,
  type Condition,
  type Criteria,
  type Field,
  ROOT_FIELDS,
  type RootField,
} from './criteria.js'
import { invalidCriteria } from './invalid-criteria.js'

type FindOperator = '' | '~' | '*' | '^' | '$'

type MakeCondition = (builder: ConditionBuilder, key: string, field: Field, value: unknown) => Condition

const CONDITIONS: Record<FindOperator, MakeCondition> = {
  '': (builder, key, field, value) => {
    if ('root' in field) return builder.glob(key, field, value)
    return Array.isArray(value) ? builder.holdsAll(key, field, value) : builder.equals(key, field, value)
  },
  '~': (builder, key, field, value) => builder.regex(key, field, value),
  '*': (builder, key, field, value) => builder.contains(key, field, value),
  '^': (builder, key, field, value) => builder.prefix(key, field, value),
  $: (builder, key, field, value) => builder.suffix(key, field, value),
}

/**
 * The registry's own form: `{"<operator><field>": value, …}`, all of which must hold.
 *
 * A key is an optional operator (`~ * ^ $`), then `.id`, `.ns`, `.name`, `.kind`, or a meta field, as
 * `meta.field` or bare: `id` without the dot is the field `id` of meta. A bare field that itself begins with an
 * operator is refused, since it is more likely a slip; `meta.` before it makes it plain (`~meta.$ref`).
 *
 * @throws RegistryError INVALID_CRITERIA naming the key and why
 */
export function parseFind(find: JsonObject, compileRegex: CompileRegex): Criteria {
  const builder = new ConditionBuilder(compileRegex)
  return allOf(
    Object.entries(find).map(([key, value]) => {
      builder.bounds.condition(key, 0)
      const operator = operatorOf(key)
      return CONDITIONS[operator](builder, key, fieldOf(builder, key, key.slice(operator.length)), value)
    }),
  )
}

function operatorOf(key: string): FindOperator {
  const first = key.slice(0, 1)
  return Object.hasOwn(CONDITIONS, first) ? (first as FindOperator) : ''
}

function fieldOf(builder: ConditionBuilder, key: string, field: string): Field {
  if (field === '')
    throw invalidCriteria(key, key === '' ? 'the key is empty' : `the operator ${key} has no field after it`)
  if (field.startsWith('.')) {
    const root = field.slice(1)
    if (isRootField(root)) return { root }
    throw invalidCriteria(key, `there is no root field "${field.slice(0, 80)}"; there are .${ROOT_FIELDS.join(', .')}`)
  }
  if (field.startsWith('meta.')) return builder.metaField(key, field.slice('meta.'.length))
  if (operatorOf(field) !== '') {
    throw invalidCriteria(key, `two operators; if the field's name begins with ${field[0]}, write meta. before it`)
  }
  return builder.metaField(key, field)
}

function isRootField(name: string): name is RootField {
  return (ROOT_FIELDS as readonly string[]).includes(name)
}
