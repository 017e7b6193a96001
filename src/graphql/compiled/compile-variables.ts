import {
  type GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  getVariableValues,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql'

export type VariableValues = { readonly [name: string]: unknown }

/** Coerces the variables of a request. Returns either their values or the errors. */
export type ReadVariables = (
  inputs: VariableValues,
) =>
  | { readonly values: VariableValues; readonly errors?: undefined }
  | { readonly values?: undefined; readonly errors: readonly GraphQLError[] }

/** @bound Errors in the variables of one request that are reported, the default of graphql-js. */
const MAX_ERRORS = 50

/** Stands for a value that graphql-js has to coerce: it is invalid, or it needs a default. */
const UNREAD = Symbol('unread')

type ReadValue = (value: unknown) => unknown

/**
 * Compiles the variables of an operation. Types are looked up once. Invalid values and default values are left to
 * graphql-js, so that errors and defaults are exactly its own.
 */
export function compileVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): ReadVariables {
  const byGraphqlJs: ReadVariables = (inputs) => {
    const { coerced, errors } = getVariableValues(schema, variableDefinitions, inputs, { maxErrors: MAX_ERRORS })
    return errors === undefined ? { values: coerced } : { errors }
  }
  const readers: ObjectReaders = new Map()
  const variables: {
    readonly name: string
    readonly read: ReadValue
    readonly isNullable: boolean
    readonly isOptional: boolean
  }[] = []
  for (const { variable, type: typeNode, defaultValue } of variableDefinitions) {
    const type = typeFromAST(schema, typeNode as Parameters<typeof typeFromAST>[1])
    if (!isInputType(type)) return byGraphqlJs
    const isNullable = !isNonNullType(type)
    variables.push({
      name: variable.name.value,
      read: readerOf(type, readers),
      isNullable,
      isOptional: isNullable && defaultValue === undefined,
    })
  }
  return (inputs) => {
    const values: Record<string, unknown> = {}
    for (const { name, read, isNullable, isOptional } of variables) {
      const isPresent = Object.hasOwn(inputs, name)
      if (!isPresent && isOptional) continue
      const input = isPresent ? inputs[name] : undefined
      const value = input === null && isNullable ? null : read(input)
      if (value === UNREAD) return byGraphqlJs(inputs)
      values[name] = value
    }
    return { values }
  }
}

/** Readers of input object types, which may contain themselves. */
type ObjectReaders = Map<GraphQLInputObjectType, ReadValue>

/** Makes a reader for values that are neither null nor omitted. */
function readerOf(type: GraphQLInputType, readers: ObjectReaders): ReadValue {
  if (isNonNullType(type)) return readerOf(type.ofType as GraphQLInputType, readers)
  if (isListType(type)) {
    const readItem = readerOf(type.ofType as GraphQLInputType, readers)
    return (value) => {
      if (!Array.isArray(value)) return UNREAD
      const items = value.map(readItem)
      return items.includes(UNREAD) ? UNREAD : items
    }
  }
  if (isInputObjectType(type)) return objectReader(type, readers)
  return (value) => {
    if (value === null || value === undefined) return UNREAD
    try {
      return type.parseValue(value) ?? UNREAD
    } catch {
      // graphql-js reads it again and reports the error.
      return UNREAD
    }
  }
}

function objectReader(type: GraphQLInputObjectType, readers: ObjectReaders): ReadValue {
  const existing = readers.get(type)
  if (existing !== undefined) return existing
  const fields: {
    readonly name: string
    readonly defaultValue: unknown
    readonly isNullable: boolean
    readonly read: ReadValue
  }[] = []
  const readObject: ReadValue = (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return UNREAD
    const given = value as Readonly<Record<string, unknown>>
    const coerced: Record<string, unknown> = {}
    let present = 0
    for (const { name, defaultValue, isNullable, read } of fields) {
      const input = given[name]
      if (input === undefined) {
        if (defaultValue !== undefined) coerced[name] = defaultValue
        else if (!isNullable) return UNREAD
        continue
      }
      present += 1
      if (input === null && !isNullable) return UNREAD
      const item = input === null ? null : read(input)
      if (item === UNREAD || (item === null && type.isOneOf)) return UNREAD
      coerced[name] = item
    }
    // The value has fields that the type does not have, or one that is undefined.
    if (present !== Object.keys(given).length || (type.isOneOf && present !== 1)) return UNREAD
    return coerced
  }
  readers.set(type, readObject)
  for (const { name, type: fieldType, defaultValue } of Object.values(type.getFields())) {
    const isNullable = !isNonNullType(fieldType)
    fields.push({ name, defaultValue, isNullable, read: readerOf(fieldType, readers) })
  }
  return readObject
}
