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
  description: 'Conditions on a text, all of which must hold. Upper and lower case differ.',
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
  description: 'Conditions on one field of meta, at least one, all of which must hold.',
  fields: (t) => ({
    path: t.string({ required: true, description: 'Dotted path within meta; a key that holds dots is found too.' }),
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
  description: 'Which entries are meant: all that is given must hold; nothing given holds for every entry.',
  fields: (t) =>
    ({
      id: t.field({ type: StringFilterRef, description: 'On "namespace:name".' }),
      ns: t.field({ type: StringFilterRef, description: 'On the namespace.' }),
      name: t.field({ type: StringFilterRef, description: 'On the name.' }),
      kind: t.field({ type: StringFilterRef, description: 'On the kind.' }),
      meta: t.field({ type: [ValueFilterRef], description: 'On fields of meta.' }),
      and: t.field({ type: [EntryFilterRef], description: 'All of these hold; of none, they do.' }),
      or: t.field({ type: [EntryFilterRef], description: 'One of these holds; of none, none does.' }),
      not: t.field({ type: EntryFilterRef, description: 'This does not hold.' }),
    }) as never,
})

/** Arguments that say which entries are meant. */
export const criteriaArgs = builder.args((t) => ({
  where: t.field({ type: EntryFilterRef, description: 'Typed criteria. Together with `find` both must hold.' }),
  find: t.field({
    type: 'JSONObject',
    description:
      `The registry's own criteria, e.g. {".kind": "function.*", "^meta.name": "user"}: an operator (none, ${SYMBOLS}), ` +
      'then .id, .ns, .name, .kind or a field of meta. All must hold. ' +
      'Pass it as a variable: a GraphQL literal has no form for such keys.',
  }),
}))

export interface CriteriaArgs {
  readonly where?: EntryFilterInput | null | undefined
  readonly find?: Readonly<Record<string, unknown>> | null | undefined
}

/** What the caller is looking for; null where it does not say. @throws RegistryError INVALID_CRITERIA */
export function criteriaFrom({ where, find }: CriteriaArgs): Criteria | null {
  const parts: Criteria[] = []
  if (find != null) parts.push(parseFind(find as JsonObject, compileRegex))
  if (where != null) parts.push(parseWhere(where, compileRegex))
  return parts.length === 0 ? null : allOf(parts)
}
