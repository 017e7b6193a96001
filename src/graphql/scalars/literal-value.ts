import { Kind, type ObjectValueNode, type ValueNode } from 'graphql'
import { badInput } from '../base/graphql-errors.js'

/** Undefined while a document is being validated: its variables have no values yet. */
export type Variables = { readonly [name: string]: unknown } | null | undefined

/** Stands for a variable while its value is not known. */
export const UNKNOWN_VALUE: unique symbol = Symbol('a variable without its value')

/**
 * The JSON value that a literal spells, as `JSON.parse` would have made it: keys in the order written,
 * `__proto__` a key like any other, numbers the nearest double. An absent variable leaves its key out, in a
 * list it is null. @throws GraphQLError BAD_USER_INPUT for an enum value, which JSON has no form for
 */
export function literalValue(node: ValueNode, variables: Variables): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value)
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value
    case Kind.LIST:
      return node.values.map((item) => literalValue(item, variables) ?? null)
    case Kind.OBJECT:
      return objectValue(node, variables)
    case Kind.VARIABLE:
      if (variables == null) return UNKNOWN_VALUE
      // One named `constructor` that was left out is not what every object has of that name.
      return Object.hasOwn(variables, node.name.value) ? variables[node.name.value] : undefined
    case Kind.ENUM:
      throw badInput(`${node.value} is not JSON: a string stands in quotes`)
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
