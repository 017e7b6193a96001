import {
  type DocumentNode,
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import type { RequestContext } from '../base/request-context.js'
import { usesAbortSignal } from '../base/uses-abort-signal.js'
import { restoreNegativeZeros } from '../results/result-text.js'
import { StoredJson } from '../results/stored-json.js'
import { type Conditions, collectFields, conditionVariables, fragmentsOf, type Selections } from './collect-fields.js'
import { compileArguments, compileVariables } from './compile-variables.js'
import { CollectedErrors, failing, type Place, type Run } from './execution.js'

/*
 * Operations compiled into functions that write the answer's text at once: no object is built only to be walked again, and
 * content that is stored as JSON text goes out as it stands. It means what graphql-js means by them, errors, nulls
 * and their paths included; `test/graphql/compiled/compile-operation.test.ts` holds the two against each other.
 */

export interface CompiledResult {
  /** The JSON text of `data`; null where nothing could be begun, because variables are wrong. */
  readonly data: string | null
  readonly errors: readonly GraphQLError[]
}

/** Before any of it was done: 'too large' where the operation turns out to be one that is not compiled, null where it is not for these variables. */
export type CompiledOperation = (
  variables: Readonly<Record<string, unknown>>,
  context: RequestContext,
  event?: unknown,
) => CompiledResult | Promise<CompiledResult> | 'too large' | null

type Text = string | Promise<string>
/** Writes a value that is not null. Throws what is to be told of the nearest place that may be null. */
type Complete = (value: unknown, run: Run, place: Place) => Text
type WriteObject = (source: unknown, run: Run, place: Place | null) => Text
type WriteField = (source: unknown, run: Run, place: Place | null) => Text

/** Each value of each is a plan by itself. */
const MOST_CONDITIONS = 3
/** In all plans of a query: a field takes about a kilobyte. */
const MOST_FIELDS = 300

class NotCompiled extends Error {}

interface Compiling extends Selections {
  readonly count: { fields: number }
}

/** Of a subscription it writes what comes of one event. Null for what is not compiled: introspection, what heeds a signal, and operations with many conditions. */
export function compileOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledOperation | null {
  const root = schema.getRootType(operation.operation)
  if (root === null || root === undefined) return null
  const compileRoot = operation.operation === OperationTypeNode.MUTATION ? compileSerially : compileObject
  const fragments = fragmentsOf(document)
  const conditions = [...conditionVariables(operation, fragments.values())]
  if (conditions.length > MOST_CONDITIONS || introspects(operation, fragments.values())) return null
  const readVariables = compileVariables(schema, operation)
  const plans = new Map<string, WriteObject>()
  const count = { fields: 0 }

  function planFor(variables: Run['variables']): WriteObject {
    const key = conditions.map((name) => variables[name] === true).join()
    let plan = plans.get(key)
    if (plan === undefined) {
      const known: Conditions = new Map(conditions.map((name) => [name, variables[name] === true]))
      plans.set(
        key,
        (plan = compileRoot({ schema, fragments, conditions: known, count }, root!, [operation.selectionSet])),
      )
    }
    return plan
  }

  return (inputs, context, event) => {
    const read = readVariables(inputs)
    if (read.errors !== undefined) return { data: null, errors: read.errors }
    // A default lets `if: $shown` take a variable that may be null, which is an error where the field is reached.
    if (conditions.some((name) => read.coerced[name] === null)) return null
    const run: Run = { context, variables: read.coerced, errors: new CollectedErrors() }
    const { told } = run.errors
    const failed = (error: unknown): CompiledResult => {
      run.errors.add(error as GraphQLError, null)
      return { data: 'null', errors: told }
    }
    try {
      const data = planFor(read.coerced)(event, run, null)
      return typeof data === 'string'
        ? { data, errors: told }
        : data.then((text) => ({ data: text, errors: told }), failed)
    } catch (error) {
      return error instanceof NotCompiled ? 'too large' : failed(error)
    }
  }
}

function introspects(
  operation: OperationDefinitionNode,
  fragments: Iterable<{ readonly selectionSet: SelectionSetNode }>,
): boolean {
  const inSet = ({ selections }: SelectionSetNode): boolean =>
    selections.some(
      (selection) =>
        (selection.kind === Kind.FIELD && (selection.name.value === '__schema' || selection.name.value === '__type')) ||
        (selection.kind !== Kind.FRAGMENT_SPREAD &&
          selection.selectionSet !== undefined &&
          inSet(selection.selectionSet)),
    )
  return inSet(operation.selectionSet) || [...fragments].some(({ selectionSet }) => inSet(selectionSet))
}

/** What leads to a field's value, and what writes it. */
interface CompiledField {
  readonly lead: string
  readonly write: WriteField
}

function compileFields(
  selections: Compiling,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): CompiledField[] {
  if (type.isTypeOf) throw new NotCompiled()
  const fields: CompiledField[] = []
  for (const [key, nodes] of collectFields(selections, type, sets)) {
    if (++selections.count.fields > MOST_FIELDS) throw new NotCompiled()
    const lead = `${fields.length === 0 ? '{' : ','}${JSON.stringify(key)}:`
    fields.push({ lead, write: compileField(selections, type, key, nodes) })
  }
  return fields
}

/** The root of a mutation: each field begins when the one before it has ended (specification, 6.2.2). */
function compileSerially(
  selections: Compiling,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): WriteObject {
  const fields = compileFields(selections, type, sets)
  if (fields.length === 0) return () => '{}'
  return async (source, run, place) => {
    let text = ''
    for (const { lead, write } of fields) text += lead + (await write(source, run, place))
    return `${text}}`
  }
}

function compileObject(selections: Compiling, type: GraphQLObjectType, sets: readonly SelectionSetNode[]): WriteObject {
  const fields = compileFields(selections, type, sets)
  if (fields.length === 0) return () => '{}'

  return (source, run, place) => {
    let text = ''
    let parts: Text[] | null = null
    try {
      for (const { lead, write } of fields) {
        const written = write(source, run, place)
        text += lead
        if (typeof written === 'string') text += written
        else {
          // The others begin all the same: what they load is loaded together.
          parts ??= []
          parts.push(text, written)
          text = ''
        }
      }
    } catch (error) {
      if (parts === null) throw error
      // Those that are under way come to their end first, and what they tell is told.
      return Promise.all(parts).finally(() => {
        throw error
      }) as Promise<never>
    }
    if (parts === null) return `${text}}`
    if (parts.length === 2) return waited(parts[0] as string, parts[1] as Promise<string>, text)
    return Promise.all([...parts, text, '}']).then(joined)
  }
}

/** Of most objects one field waits at most. */
async function waited(before: string, written: Promise<string>, after: string): Promise<string> {
  return `${before}${await written}${after}}`
}

function joined(parts: readonly string[]): string {
  return parts.join('')
}

function compileField(
  selections: Compiling,
  parent: GraphQLObjectType,
  key: string,
  nodes: readonly FieldNode[],
): WriteField {
  const node = nodes[0]!
  if (node.name.value === '__typename') {
    const name = JSON.stringify(parent.name)
    return () => name
  }
  const field = parent.getFields()[node.name.value]!
  if (usesAbortSignal(field)) throw new NotCompiled()
  const { resolve = propertyOf(field.name) } = field
  const readArguments = compileArguments(field, node)
  const mayBeNull = !isNonNullType(field.type)
  const complete = compileValue(selections, field.type, `${parent.name}.${field.name}`, nodes)

  const failed = failing(mayBeNull, nodes)

  return (source, run, place) => {
    const here = { before: place, key }
    try {
      const args = readArguments(run.variables)
      // Resolvers here look at nothing of the fourth, which says where in the query they are.
      const value: unknown = resolve(source, args, run.context, undefined as never)
      const text = isPromise(value) ? value.then((settled) => complete(settled, run, here)) : complete(value, run, here)
      return typeof text === 'string' ? text : text.then(undefined, (error: unknown) => failed(error, run, here))
    } catch (error) {
      return failed(error, run, here)
    }
  }
}

/** As graphql-js resolves a field without a resolver. */
function propertyOf(name: string) {
  return (source: unknown, args: unknown, context: unknown) => {
    const value = (source as Record<string, unknown>)[name]
    return typeof value === 'function'
      ? (value as (...given: unknown[]) => unknown).call(source, args, context, undefined)
      : value
  }
}

/** Writes a value of this type, null and errors included. */
function compileValue(
  selections: Compiling,
  type: GraphQLOutputType,
  name: string,
  nodes: readonly FieldNode[],
): Complete {
  const mayBeNull = !isNonNullType(type)
  const complete = compileNonNull(selections, isNonNullType(type) ? type.ofType : type, name, nodes)
  return (value, run, place) => {
    if (value instanceof Error) throw value
    if (value !== null && value !== undefined) return complete(value, run, place)
    if (mayBeNull) return 'null'
    throw new Error(`Cannot return null for non-nullable field ${name}.`)
  }
}

function compileNonNull(
  selections: Compiling,
  type: Exclude<GraphQLOutputType, { readonly ofType: never }>,
  name: string,
  nodes: readonly FieldNode[],
): Complete {
  if (isListType(type)) return compileList(selections, type.ofType as GraphQLOutputType, name, nodes)
  if (isLeafType(type)) return leaf(type)
  const sets = nodes.flatMap(({ selectionSet }) => (selectionSet === undefined ? [] : [selectionSet]))
  if (isObjectType(type)) return compileObject(selections, type, sets)
  if (isAbstractType(type)) return compileAbstract(selections, type, name, sets)
  throw new Error(`${name} is of no type that can be written`)
}

function leaf(type: GraphQLLeafType): Complete {
  // Nothing else is written of them, and they hold nothing that is to be taken back.
  if (type === GraphQLString || type === GraphQLID) {
    return (value) => (typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(type.serialize(value)))
  }
  return (value) => {
    if (value instanceof StoredJson) return value.text
    const serialized: unknown = type.serialize(value)
    if (serialized === null || serialized === undefined) {
      throw new Error(
        `Expected \`${type.name}.serialize(${String(value)})\` to return non-nullable value, returned: ${String(serialized)}`,
      )
    }
    const text = JSON.stringify(serialized)
    return typeof serialized === 'object' || typeof serialized === 'string' ? restoreNegativeZeros(text) : text
  }
}

function compileList(
  selections: Compiling,
  item: GraphQLOutputType,
  name: string,
  nodes: readonly FieldNode[],
): Complete {
  const mayBeNull = !isNonNullType(item)
  const complete = compileValue(selections, item, name, nodes)
  const failed = failing(mayBeNull, nodes)

  const write = (value: unknown, run: Run, here: Place): Text => {
    try {
      const text = isPromise(value) ? value.then((settled) => complete(settled, run, here)) : complete(value, run, here)
      return typeof text === 'string' ? text : text.then(undefined, (error: unknown) => failed(error, run, here))
    } catch (error) {
      return failed(error, run, here)
    }
  }

  return (list, run, place) => {
    if (typeof list !== 'object' || !(Symbol.iterator in list!))
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${name}".`)
    const items: Text[] = []
    let waits = false
    try {
      let key = 0
      for (const value of list as Iterable<unknown>) {
        const text = write(value, run, { before: place, key: key++ })
        waits ||= typeof text !== 'string'
        items.push(text)
      }
    } catch (error) {
      for (const text of items) if (typeof text !== 'string') text.catch(() => undefined)
      throw error
    }
    return waits ? Promise.all(items).then((texts) => `[${texts.join(',')}]`) : `[${items.join(',')}]`
  }
}

function compileAbstract(
  selections: Compiling,
  type: GraphQLAbstractType,
  name: string,
  sets: readonly SelectionSetNode[],
): Complete {
  const { schema } = selections
  const writers = new Map(
    schema.getPossibleTypes(type).map((object) => [object.name, compileObject(selections, object, sets)]),
  )
  const writerFor = (found: string | undefined): WriteObject => {
    const writer = writers.get(found ?? '')
    if (writer === undefined) throw new Error(`${name} is of ${type.name}, which has no type ${String(found)}`)
    return writer
  }
  return (value, run, place) => {
    const found =
      type.resolveType?.(value, run.context, undefined as never, type) ?? (value as { __typename?: string }).__typename
    return isPromise(found)
      ? found.then((known) => writerFor(known as string | undefined)(value, run, place))
      : writerFor(found)(value, run, place)
  }
}

function isPromise<Value>(value: Value | PromiseLike<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
