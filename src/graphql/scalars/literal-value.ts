import { Kind, type ObjectValueNode, type ValueNode } from 'graphql'
import { numberFault } from '../../core/entry/number-fault.js'
import { badInput } from '../base/graphql-errors.js'

/** Values of variables. Undefined during validation, when they are not known yet. */
export type Variables = { readonly [name: string]: unknown } | null | undefined

/** Stands for a variable whose value is not known yet. */
export const UNKNOWN_VALUE: unique symbol = Symbol('a variable without its value')

/**
 * Converts a literal into the JSON value that `parseExactJson` would give: keys in its order, `__proto__` as an
 * ordinary key, numbers as `parseExactJson` gives them. An absent variable omits its key; in a list it becomes null.
 * @throws GraphQLError BAD_USER_INPUT for an enum value, which JSON cannot express
 */
export function literalValue(node: ValueNode, variables: Variables): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null
    case Kind.INT:
    case Kind.FLOAT:
      return exactNumber(node.value)
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value
    case Kind.LIST:
      return node.values.map((item) => literalValue(item, variables) ?? null)
    case Kind.OBJECT:
      return objectValue(node, variables)
    case Kind.VARIABLE:
      if (variables == null) return UNKNOWN_VALUE
      // `$constructor` is a valid variable name: only own properties count.
      return Object.hasOwn(variables, node.name.value) ? variables[node.name.value] : undefined
    case Kind.ENUM:
      throw badInput(`${node.value} is not JSON. Put strings in quotes.`)
  }
}

function objectValue(node: ObjectValueNode, variables: Variables): unknown {
  const entries: [string, unknown][] = []
  for (const field of node.fields) {
    const value = literalValue(field.value, variables)
    if (value !== undefined) entries.push([field.name.value, value])
  }
  // Unlike assignment, fromEntries makes `__proto__` an own key.
  return Object.fromEntries(entries)
}

function exactNumber(written: string): number | symbol {
  const fault = numberFault(written)
  return fault === undefined ? Number(written) : Symbol(fault)
}
