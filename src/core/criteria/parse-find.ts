import type { JsonObject } from '../entry/json.js'
import type { CompileRegex } from './compiled-regex.js'
import { allOf, type Condition, type Criteria } from './criteria.js'
import { CriteriaLimits } from './criteria-limits.js'
import { type Field, ROOT_FIELDS, type RootField } from './field.js'
import { invalidCriteria, unknownField } from './invalid-criteria.js'
import { checkOperand, metaField, type OperandContext } from './operand.js'
import { OPERATOR_ROWS, type OperatorRow } from './operators.js'

/** The symbols that may stand before a field. */
const SYMBOLS: ReadonlySet<string> = new Set(OPERATOR_ROWS.flatMap(({ symbol }) => (symbol ? [symbol] : [])))

/**
 * Parses `find`: `{"<operator><field>": value, …}`, all of which must hold.
 *
 * A key is an optional operator symbol, then `.id`, `.ns`, `.name`, `.kind`, or a meta field, as `meta.field` or bare.
 * A bare `kind`, which may mean the kind or a field of meta, is refused, and so are `id`, `ns` and `name`: a search that
 * means the other one would silently find nothing. So is a bare field that itself begins with a symbol, because it is
 * probably a mistake. With `meta.` before it, it is unambiguous (`~meta.$ref`).
 * @throws RegistryError INVALID_CRITERIA naming the key and why
 */
export function parseFind(find: JsonObject, compileRegex: CompileRegex): Criteria {
  const context: OperandContext = { limits: new CriteriaLimits(), compileRegex }
  return allOf(Object.entries(find).map(([key, value]) => parseCondition(key, value, context)))
}

function parseCondition(key: string, value: unknown, context: OperandContext): Condition {
  context.limits.condition(key, 0)
  const symbol = symbolOf(key)
  const field = fieldOf(key, key.slice(symbol.length), context.limits)
  const row = operatorRow(symbol, field, value)
  return { field, test: row.build(checkOperand(row.takes, { key, field, value }, context), field) }
}

/** The row that a symbol means for this field and value. */
function operatorRow(symbol: string, field: Field, value: unknown): OperatorRow {
  const isMeant = (row: OperatorRow) => row.symbol === symbol && (row.isMeant?.(field, value) ?? true)
  return OPERATOR_ROWS.find(isMeant)!
}

function symbolOf(key: string): string {
  const first = key.slice(0, 1)
  return SYMBOLS.has(first) ? first : ''
}

function fieldOf(key: string, field: string, limits: CriteriaLimits): Field {
  if (field === '') {
    throw invalidCriteria(key, key === '' ? 'the key is empty' : `the operator ${key} has no field after it`)
  }
  if (field.startsWith('.')) {
    const root = field.slice(1)
    if (isRootField(root)) return { root }
    throw unknownField(key, field)
  }
  if (field.startsWith('meta.')) return metaField(key, field.slice('meta.'.length), limits)
  if (symbolOf(field) !== '') {
    throw invalidCriteria(
      key,
      `it has two operators; if the field's name begins with ${field[0]}, write meta. before it`,
    )
  }
  if (isRootField(field)) throw invalidCriteria(key, `"${field}" is ambiguous; write .${field} or meta.${field}`)
  return metaField(key, field, limits)
}

function isRootField(name: string): name is RootField {
  return (ROOT_FIELDS as readonly string[]).includes(name)
}
