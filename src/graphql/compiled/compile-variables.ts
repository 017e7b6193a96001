import {
  type FieldNode,
  type GraphQLError,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
  type ValueNode,
} from 'graphql'

export type Values = { readonly [name: string]: unknown }
/** The variables' values, or what is wrong with them. */
export type ReadVariables = (
  inputs: Values,
) => { readonly coerced: Values; readonly errors?: undefined } | { readonly errors: readonly GraphQLError[] }

/** As graphql-js does where it is asked to answer. */
const MOST_ERRORS = 50
/** What only the long way reads, or refuses. */
const ODD = Symbol('odd')

type Read = (value: unknown) => unknown

/**
 * Reads variables as graphql-js does. What each is read by is looked up once; what is wrong, and what has a default, is left to graphql-js.
 */
export function compileVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): ReadVariables {
  const atLength: ReadVariables = (inputs) => {
    const { coerced, errors } = getVariableValues(schema, variableDefinitions, inputs, { maxErrors: MOST_ERRORS })
    return errors === undefined ? { coerced } : { errors }
  }
  const readers: InputReaders = new Map()
  const reads: {
    readonly name: string
    readonly read: Read
    readonly mayBeNull: boolean
    readonly mayBeLeftOut: boolean
  }[] = []
  for (const { variable, type, defaultValue } of variableDefinitions) {
    const known = typeFromAST(schema, type as Parameters<typeof typeFromAST>[1])
    if (!isInputType(known)) return atLength
    const mayBeNull = !isNonNullType(known)
    reads.push({
      name: variable.name.value,
      read: readerOf(known, readers),
      mayBeNull,
      mayBeLeftOut: mayBeNull && defaultValue === undefined,
    })
  }
  return (inputs) => {
    const coerced: Record<string, unknown> = {}
    for (const { name, read, mayBeNull, mayBeLeftOut } of reads) {
      const isThere = Object.hasOwn(inputs, name)
      if (!isThere && mayBeLeftOut) continue
      const given = isThere ? inputs[name] : undefined
      const value = given === null && mayBeNull ? null : read(given)
      if (value === ODD) return atLength(inputs)
      coerced[name] = value
    }
    return { coerced }
  }
}

/** Of input objects, which may hold themselves. */
type InputReaders = Map<GraphQLInputObjectType, Read>

/** Reads a value that is neither null nor left out. */
function readerOf(type: GraphQLInputType, readers: InputReaders): Read {
  if (isNonNullType(type)) return readerOf(type.ofType as GraphQLInputType, readers)
  if (isListType(type)) {
    const readItem = readerOf(type.ofType as GraphQLInputType, readers)
    return (value) => {
      if (!Array.isArray(value)) return ODD
      const items = value.map(readItem)
      return items.includes(ODD) ? ODD : items
    }
  }
  if (isInputObjectType(type)) return objectReader(type, readers)
  return (value) => {
    if (value === null || value === undefined) return ODD
    try {
      return type.parseValue(value) ?? ODD
    } catch {
      // Read again at length, which says what is wrong.
      return ODD
    }
  }
}

function objectReader(type: GraphQLInputObjectType, readers: InputReaders): Read {
  const known = readers.get(type)
  if (known !== undefined) return known
  const fields: {
    readonly name: string
    readonly defaultValue: unknown
    readonly mayBeNull: boolean
    readonly read: Read
  }[] = []
  const read: Read = (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return ODD
    const given = value as Readonly<Record<string, unknown>>
    const coerced: Record<string, unknown> = {}
    let present = 0
    for (const { name, defaultValue, mayBeNull, read } of fields) {
      const found = given[name]
      if (found === undefined) {
        if (defaultValue !== undefined) coerced[name] = defaultValue
        else if (!mayBeNull) return ODD
        continue
      }
      present += 1
      if (found === null && !mayBeNull) return ODD
      const item = found === null ? null : read(found)
      if (item === ODD || (item === null && type.isOneOf)) return ODD
      coerced[name] = item
    }
    // Others than the type has, or a field that is undefined.
    if (present !== Object.keys(given).length || (type.isOneOf && present !== 1)) return ODD
    return coerced
  }
  readers.set(type, read)
  for (const { name, type: of, defaultValue } of Object.values(type.getFields())) {
    fields.push({ name, defaultValue, mayBeNull: !isNonNullType(of), read: readerOf(of, readers) })
  }
  return read
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
  const byVariable = given.flatMap(({ name, value }) =>
    value.kind === Kind.VARIABLE ? [{ name: name.value, variable: value.name.value }] : [],
  )
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
