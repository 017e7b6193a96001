import { type FieldNode, type GraphQLField, getArgumentValues, Kind, type ValueNode } from 'graphql'
import type { VariableValues } from './compile-variables.js'

/** Reads a field's arguments. @throws GraphQLError if a value is invalid */
export type ReadArguments = (variables: VariableValues) => Record<string, unknown>

/** Compiles the arguments of a field. Values that do not depend on variables are read once. */
export function compileArguments(field: GraphQLField<unknown, unknown>, node: FieldNode): ReadArguments {
  const byGraphqlJs: ReadArguments = (variables) => getArgumentValues(field, node, variables)
  const given = node.arguments ?? []
  if (!given.some(({ value }) => usesVariables(value))) {
    try {
      const fixed = byGraphqlJs({})
      return () => fixed
    } catch {
      // The error is reported whenever the field is reached.
      return byGraphqlJs
    }
  }
  if (given.some(({ value }) => value.kind !== Kind.VARIABLE && usesVariables(value))) return byGraphqlJs
  const fromVariables = given.flatMap(({ name, value }) =>
    value.kind === Kind.VARIABLE ? [{ name: name.value, variable: value.name.value }] : [],
  )
  let fixed: Record<string, unknown> | null = null
  return (variables) => {
    if (fixed === null) {
      const all = byGraphqlJs(variables)
      fixed = { ...all }
      for (const { name } of fromVariables) delete fixed[name]
      return all
    }
    const values = { ...fixed }
    for (const { name, variable } of fromVariables) {
      // `$constructor` is a valid variable name: only own properties count.
      const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined
      if (value === undefined || value === null) return byGraphqlJs(variables)
      values[name] = value
    }
    return values
  }
}

function usesVariables(value: ValueNode): boolean {
  if (value.kind === Kind.VARIABLE) return true
  if (value.kind === Kind.LIST) return value.values.some(usesVariables)
  return value.kind === Kind.OBJECT && value.fields.some((field) => usesVariables(field.value))
}
