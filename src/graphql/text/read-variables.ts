import {
  getArgumentValues, getVariableValues, isInputType, isLeafType, isListType, isNonNullType, Kind, typeFromAST,
  type FieldNode, type GraphQLError, type GraphQLField, type GraphQLInputType, type GraphQLSchema, type OperationDefinitionNode, type ValueNode,
} from 'graphql'

export type Values = { readonly [name: string]: unknown }
/** The variables' values, or what is wrong with them. */
export type ReadVariables = (inputs: Values) => { readonly coerced: Values; readonly errors?: undefined } | { readonly errors: readonly GraphQLError[] }

/** As graphql-js does where it is asked to answer. */
const MOST_ERRORS = 50
/** What only the long way reads, or refuses. */
const ODD = Symbol('odd')

type Read = (value: unknown) => unknown

/**
 * Reads variables as graphql-js does. What each is read by is looked up once; whatever is left out, null, wrong or an
 * input object is left to graphql-js.
 */
export function compileVariables(schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode): ReadVariables {
  const atLength: ReadVariables = (inputs) => {
    const { coerced, errors } = getVariableValues(schema, variableDefinitions, inputs, { maxErrors: MOST_ERRORS })
    return errors === undefined ? { coerced } : { errors }
  }
  const reads: { readonly name: string; readonly read: Read }[] = []
  for (const { variable, type } of variableDefinitions) {
    const known = typeFromAST(schema, type as Parameters<typeof typeFromAST>[1])
    const read = isInputType(known) ? readOf(known) : null
    if (read === null) return atLength
    reads.push({ name: variable.name.value, read })
  }
  return (inputs) => {
    const coerced: Record<string, unknown> = {}
    for (const { name, read } of reads) {
      const value = Object.hasOwn(inputs, name) ? read(inputs[name]) : ODD
      if (value === ODD) return atLength(inputs)
      coerced[name] = value
    }
    return { coerced }
  }
}

function readOf(type: GraphQLInputType): Read | null {
  if (isNonNullType(type)) return readOf(type.ofType as GraphQLInputType)
  if (isListType(type)) {
    const readItem = readOf(type.ofType as GraphQLInputType)
    return readItem && ((value) => {
      if (!Array.isArray(value)) return ODD
      const items = value.map(readItem)
      return items.includes(ODD) ? ODD : items
    })
  }
  return isLeafType(type) ? (value) => {
    if (value === null || value === undefined) return ODD
    try {
      return type.parseValue(value) ?? ODD
    } catch {
      // Read again at length, which says what is wrong.
      return ODD
    }
  } : null
}

/** A field's arguments, by the values of variables. @throws GraphQLError */
export type ReadArguments = (variables: Values) => Record<string, unknown>

/** Reads arguments as graphql-js does; what does not depend on variables is read once. */
export function compileArguments(field: GraphQLField<unknown, unknown>, node: FieldNode): ReadArguments {
  const atLength: ReadArguments = (variables) => getArgumentValues(field, node, variables)
  const given = node.arguments ?? []
  if (!given.some(({ value }) => usesVariables(value))) {
    try {
      const fixed = atLength({})
      return () => fixed
    } catch {
      // Told where the field is reached, and as often as it is.
      return atLength
    }
  }
  if (given.some(({ value }) => value.kind !== Kind.VARIABLE && usesVariables(value))) return atLength
  const byVariable = given.flatMap(({ name, value }) => (value.kind === Kind.VARIABLE ? [{ name: name.value, variable: value.name.value }] : []))
  let others: Record<string, unknown> | null = null
  return (variables) => {
    if (others === null) {
      const all = atLength(variables)
      others = { ...all }
      for (const { name } of byVariable) delete others[name]
      return all
    }
    const read = { ...others }
    for (const { name, variable } of byVariable) {
      // What was left out must not be looked up among what every object has: `$constructor` is a name like any other.
      const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined
      if (value === undefined || value === null) return atLength(variables)
      read[name] = value
    }
    return read
  }
}

function usesVariables(value: ValueNode): boolean {
  if (value.kind === Kind.VARIABLE) return true
  if (value.kind === Kind.LIST) return value.values.some(usesVariables)
  return value.kind === Kind.OBJECT && value.fields.some((field) => usesVariables(field.value))
}
