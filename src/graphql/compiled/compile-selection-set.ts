import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql'
import { usesAbortSignal } from '../base/uses-abort-signal.js'
import { isJsonText, isLong, type JsonText, joinTexts } from '../results/long-text.js'
import { collectFields, type Selections } from './collect-fields.js'
import { compileArguments } from './compile-arguments.js'
import { errorHandler, type Text, type WriteObject, type WriteValue } from './execution.js'
import { abstractWriter, leafWriter, listWriter, settlingWriter } from './value-writers.js'

/** @bound Fields in all plans of a compiled operation. Each takes about a kilobyte. */
const MAX_COMPILED_FIELDS = 300

/** Thrown while compiling an operation that must go to graphql-js. */
export class NotCompilable extends Error {}

export interface CompileContext extends Selections {
  /** Fields compiled so far, over all plans of the operation. */
  readonly count: { fields: number }
}

/** A field with the text that precedes its value, such as `,"name":`. */
interface CompiledField {
  readonly lead: string
  readonly write: WriteObject
}

function compileFields(
  context: CompileContext,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): CompiledField[] {
  if (type.isTypeOf) throw new NotCompilable()
  const fields: CompiledField[] = []
  for (const [key, nodes] of collectFields(context, type, sets)) {
    if (++context.count.fields > MAX_COMPILED_FIELDS) throw new NotCompilable()
    const lead = `${fields.length === 0 ? '{' : ','}${JSON.stringify(key)}:`
    fields.push({ lead, write: compileField(context, type, key, nodes) })
  }
  return fields
}

/**
 * Compiles the root of a mutation: each field starts after the previous one has finished (specification, 6.2.2).
 * @throws NotCompilable
 */
export function compileSerially(
  context: CompileContext,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): WriteObject {
  const fields = compileFields(context, type, sets)
  if (fields.length === 0) return () => '{}'
  return async (source, execution, path) => {
    const texts: JsonText[] = []
    for (const { lead, write } of fields) texts.push(lead, await write(source, execution, path))
    return joinTexts(texts, '', '', '}')
  }
}

/** Compiles the selection sets of one object, whose fields are resolved in parallel. @throws NotCompilable */
export function compileSelectionSet(
  context: CompileContext,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): WriteObject {
  const fields = compileFields(context, type, sets)
  if (fields.length === 0) return () => '{}'

  return (source, execution, path) => {
    let text = ''
    let parts: Text[] | null = null
    try {
      for (const { lead, write } of fields) {
        const written = write(source, execution, path)
        text += lead
        if (typeof written === 'string' && !isLong(text)) text += written
        else {
          // The remaining fields start before this one has finished, so that loaders batch their reads.
          parts ??= []
          parts.push(text, written)
          text = ''
        }
      }
    } catch (error) {
      if (parts === null) throw error
      // Fields in flight finish first, so that their errors are reported.
      return Promise.all(parts).finally(() => {
        throw error
      }) as Promise<never>
    }
    if (parts === null) return `${text}}`
    if (parts.every(isJsonText)) return joinTexts([...parts, text], '', '', '}')
    if (parts.length === 2) return aroundPromise(parts[0] as string, parts[1]!, text)
    return Promise.all([...parts, text, '}']).then((texts) => joinTexts(texts))
  }
}

/** Most objects have at most one asynchronous field: they need no `Promise.all`. */
async function aroundPromise(before: string, written: Text, after: string): Promise<JsonText> {
  const text = await written
  return typeof text === 'string' ? `${before}${text}${after}}` : joinTexts([before, text, after], '', '', '}')
}

function compileField(
  context: CompileContext,
  parentType: GraphQLObjectType,
  key: string,
  nodes: readonly FieldNode[],
): WriteObject {
  const node = nodes[0]!
  if (node.name.value === '__typename') {
    const name = JSON.stringify(parentType.name)
    return () => name
  }
  const field = parentType.getFields()[node.name.value]!
  if (usesAbortSignal(field)) throw new NotCompilable()
  const { resolve = propertyResolver(field.name) } = field
  const readArguments = compileArguments(field, node)
  const handleError = errorHandler(!isNonNullType(field.type), nodes)
  const write = settlingWriter(
    compileValue(context, field.type, `${parentType.name}.${field.name}`, nodes),
    handleError,
  )

  return (source, execution, parent) => {
    const path = { parent, key }
    let value: unknown
    try {
      // No resolver of this schema uses the fourth argument (GraphQLResolveInfo).
      value = resolve(source, readArguments(execution.variables), execution.context, undefined as never)
    } catch (error) {
      return handleError(error, execution, path)
    }
    return write(value, execution, path)
  }
}

/** Resolves a field as graphql-js does by default. */
function propertyResolver(name: string) {
  return (source: unknown, args: unknown, context: unknown) => {
    const value = (source as Record<string, unknown>)[name]
    return typeof value === 'function'
      ? (value as (...given: unknown[]) => unknown).call(source, args, context, undefined)
      : value
  }
}

/** Compiles a writer for values of a type, null and errors included. */
function compileValue(
  context: CompileContext,
  type: GraphQLOutputType,
  name: string,
  nodes: readonly FieldNode[],
): WriteValue {
  const isNullable = !isNonNullType(type)
  const write = compileNonNull(context, isNonNullType(type) ? type.ofType : type, name, nodes)
  return (value, execution, path) => {
    if (value instanceof Error) throw value
    if (value !== null && value !== undefined) return write(value, execution, path)
    if (isNullable) return 'null'
    throw new Error(`Cannot return null for non-nullable field ${name}.`)
  }
}

function compileNonNull(
  context: CompileContext,
  type: Exclude<GraphQLOutputType, { readonly ofType: never }>,
  name: string,
  nodes: readonly FieldNode[],
): WriteValue {
  if (isListType(type)) {
    const itemType = type.ofType as GraphQLOutputType
    const writeItem = compileValue(context, itemType, name, nodes)
    return listWriter(settlingWriter(writeItem, errorHandler(!isNonNullType(itemType), nodes)), name)
  }
  if (isLeafType(type)) return leafWriter(type)
  const sets = nodes.flatMap(({ selectionSet }) => (selectionSet === undefined ? [] : [selectionSet]))
  if (isObjectType(type)) return compileSelectionSet(context, type, sets)
  if (isAbstractType(type)) {
    const types = context.schema.getPossibleTypes(type)
    const writers = new Map(types.map((object) => [object.name, compileSelectionSet(context, object, sets)]))
    return abstractWriter(type, name, writers)
  }
  throw new Error(`${name} has a type that cannot be written`)
}
