import { type GraphQLAbstractType, GraphQLError, GraphQLID, type GraphQLLeafType, GraphQLString } from 'graphql'
import type { RequestContext } from '../base/request-context.js'
import { isJsonText, type JsonText, joinTexts } from '../results/long-text.js'
import { restoreNegativeZeros } from '../results/result-text.js'
import { StoredJson } from '../results/stored-json.js'
import type { Execution, HandleError, ResponsePath, Text, WriteObject, WriteValue } from './execution.js'

function isPromise<Value>(value: Value | PromiseLike<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Waits for a value if it is a promise, then writes it. Errors go to `handleError`. */
export function settlingWriter(write: WriteValue, handleError: HandleError): WriteValue {
  return (value, execution, path) => {
    try {
      const text = isPromise(value)
        ? value.then((settled) => write(settled, execution, path))
        : write(value, execution, path)
      return isJsonText(text) ? text : text.then(undefined, (error: unknown) => handleError(error, execution, path))
    } catch (error) {
      return handleError(error, execution, path)
    }
  }
}

/** Writes scalars and enum values. */
export function leafWriter(type: GraphQLLeafType): WriteValue {
  // These are nearly always strings, and a string holds no marked negative zero.
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

/** Writes lists. @param name - The field's name, for errors */
export function listWriter(writeItem: WriteValue, name: string): WriteValue {
  return (list, execution, parent) => {
    if (typeof list !== 'object' || !(Symbol.iterator in list!))
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${name}".`)
    const { slice } = execution.context
    if (slice !== undefined) return writeInSlices(list as Iterable<unknown>, slice, writeItem, execution, parent)
    const items: Text[] = []
    let hasPromise = false
    try {
      let key = 0
      for (const value of list as Iterable<unknown>) {
        const path: ResponsePath = { parent, key: key++ }
        const text = writeItem(value, execution, path)
        hasPromise ||= !isJsonText(text)
        items.push(text)
      }
    } catch (error) {
      for (const text of items) if (!isJsonText(text)) text.catch(() => undefined)
      throw error
    }
    return hasPromise ? Promise.all(items).then(listOf) : listOf(items as readonly JsonText[])
  }
}

function listOf(items: readonly JsonText[]): JsonText {
  return joinTexts(items, '[', ',', ']')
}

/** Items of a list that a heavy operation writes at once. Their loaders batch; more would block the thread for longer. */
const ITEMS_AT_ONCE = 32

/** Writes a list of a heavy operation, so that other requests are answered between its parts. */
async function writeInSlices(
  list: Iterable<unknown>,
  slice: NonNullable<RequestContext['slice']>,
  writeItem: WriteValue,
  execution: Execution,
  parent: ResponsePath,
): Promise<JsonText> {
  const texts: JsonText[] = []
  let items: Text[] = []
  let key = 0
  try {
    for (const value of list) {
      const path: ResponsePath = { parent, key: key++ }
      items.push(writeItem(value, execution, path))
      if (items.length < ITEMS_AT_ONCE) continue
      for (const text of await Promise.all(items)) texts.push(text)
      items = []
      await slice()
    }
    for (const text of await Promise.all(items)) texts.push(text)
  } catch (error) {
    for (const text of items) if (!isJsonText(text)) text.catch(() => undefined)
    throw error
  }
  return listOf(texts)
}

/** Writes values of an interface or union, each by the writer of its object type. */
export function abstractWriter(
  type: GraphQLAbstractType,
  name: string,
  writers: ReadonlyMap<string, WriteObject>,
): WriteValue {
  const writerOf = (typeName: string | undefined): WriteObject => {
    const writer = writers.get(typeName ?? '')
    if (writer === undefined) throw new Error(`${name} resolved to ${String(typeName)}, which is not a ${type.name}`)
    return writer
  }
  return (value, execution, path) => {
    const typeName =
      type.resolveType?.(value, execution.context, undefined as never, type) ??
      (value as { __typename?: string }).__typename
    return isPromise(typeName)
      ? typeName.then((settled) => writerOf(settled as string | undefined)(value, execution, path))
      : writerOf(typeName)(value, execution, path)
  }
}
