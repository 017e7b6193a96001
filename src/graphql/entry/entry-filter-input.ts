import { allOf, type Criteria } from '../../core/criteria/criteria.js'
import type { OperandType } from '../../core/criteria/operand.js'
import { OPERATOR_ROWS } from '../../core/criteria/operators.js'
import { parseFind } from '../../core/criteria/parse-find.js'
import { type EntryFilterInput, parseWhere } from '../../core/criteria/parse-where.js'
import type { JsonObject } from '../../core/entry/json.js'
import { compileRegex } from '../../store/planning/compile-regex.js'
import { builder } from '../base/builder.js'

/** The GraphQL type of each operand type on a meta field. */
const META_OPERANDS: Readonly<Record<OperandType, 'JSON' | 'Boolean' | 'String' | ['JSON']>> = {
  value: 'JSON',
  list: ['JSON'],
  boolean: 'Boolean',
  text: 'String',
  glob: 'String',
  regex: 'String',
}

/** E.g. `~ regex, * contains`. */
const SYMBOLS = OPERATOR_ROWS.flatMap(({ symbol, word }) => (symbol ? [`${symbol} ${word}`] : [])).join(', ')

/** The finder operators of a root field. Every operand is text. */
const StringFilterRef = builder.inputType('StringFilter', {
  description: 'Conditions on a text. All of them must hold. Upper and lower case are different.',
  fields: (t) =>
    Object.fromEntries(
      OPERATOR_ROWS.flatMap(({ word, describe, takes }) => {
        const description = describe?.onRoot
        if (word === undefined || description === undefined) return []
        return [[word, takes === 'list' ? t.stringList({ description }) : t.string({ description })]]
      }),
    ),
})

/** The finder operators of a meta field. */
const ValueFilterRef = builder.inputType('ValueFilter', {
  description: 'Conditions on one field of `meta`. Set at least one; all of them must hold.',
  fields: (t) => ({
    path: t.string({
      required: true,
      description: 'The path of the field in `meta`, e.g. "owner.team". A key that contains dots is found too.',
    }),
    ...Object.fromEntries(
      OPERATOR_ROWS.flatMap(({ word, describe, takes }) => {
        if (word === undefined || describe === undefined) return []
        return [[word, t.field({ type: META_OPERANDS[takes], description: describe.onMeta })]]
      }),
    ),
  }),
})

const EntryFilterRef = builder.inputRef<EntryFilterInput>('EntryFilter')

EntryFilterRef.implement({
  description: 'Criteria for entries. All of them must hold. Without any, every entry matches.',
  fields: (t) =>
    ({
      id: t.field({ type: StringFilterRef, description: 'Conditions on the id, e.g. "shop:cart".' }),
      ns: t.field({
        type: StringFilterRef,
        description: 'Conditions on the namespace, the part of the id before the first colon.',
      }),
      name: t.field({
        type: StringFilterRef,
        description: 'Conditions on the name, the part of the id after the first colon.',
      }),
      kind: t.field({ type: StringFilterRef, description: 'Conditions on the kind.' }),
      meta: t.field({ type: [ValueFilterRef], description: 'Conditions on fields of `meta`. All of them must hold.' }),
      and: t.field({
        type: [EntryFilterRef],
        description: 'All of these filters match. An empty list always matches.',
      }),
      or: t.field({
        type: [EntryFilterRef],
        description: 'At least one of these filters matches. An empty list never matches.',
      }),
      not: t.field({ type: EntryFilterRef, description: 'This filter does not match.' }),
    }) as never,
})

/** Arguments that select entries. */
export const criteriaArgs = builder.args((t) => ({
  where: t.field({
    type: EntryFilterRef,
    description: 'Criteria as a typed filter. If `find` is set too, both must match.',
  }),
  find: t.field({
    type: 'JSONObject',
    description:
      `Criteria as a JSON object, e.g. {".kind": "function.*", "^meta.name": "user"}. A key is an operator (none, ${SYMBOLS}), ` +
      'then .id, .ns, .name, .kind or a field of `meta`. All must hold. ' +
      'Pass it as a variable: GraphQL literals do not allow such keys.',
  }),
}))

export interface CriteriaArgs {
  readonly where?: EntryFilterInput | null | undefined
  readonly find?: Readonly<Record<string, unknown>> | null | undefined
}

/** Parses the criteria in the arguments; null if there are none. @throws RegistryError INVALID_CRITERIA */
export function criteriaFrom({ where, find }: CriteriaArgs): Criteria | null {
  const parts: Criteria[] = []
  if (find != null) parts.push(parseFind(find as JsonObject, compileRegex))
  if (where != null) parts.push(parseWhere(where, compileRegex))
  return parts.length === 0 ? null : allOf(parts)
}
