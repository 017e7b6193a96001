import { type FieldNode, type GraphQLError, locatedError } from 'graphql'
import type { RequestContext } from '../base/request-context.js'
import type { JsonText } from '../results/long-text.js'
import type { VariableValues } from './compile-variables.js'

/** One execution of a compiled operation. */
export interface Execution {
  readonly context: RequestContext
  readonly variables: VariableValues
  readonly errors: ErrorCollector
}

/** A path in the response, linked from the innermost key outwards. */
export interface ResponsePath {
  readonly parent: ResponsePath | null
  readonly key: string | number
}

/** JSON text of a part of the response, or a promise of it. */
export type Text = JsonText | Promise<JsonText>

/** Writes a value. Throws if the value failed and the nearest nullable ancestor must become null. */
export type WriteValue = (value: unknown, execution: Execution, path: ResponsePath) => Text

/** Writes an object. The root object has no path. */
export type WriteObject = (source: unknown, execution: Execution, path: ResponsePath | null) => Text

/** Collects the errors of one execution. */
export class ErrorCollector {
  readonly collected: GraphQLError[] = []
  readonly #nulled = new Set<ResponsePath | null>()

  /**
   * Adds an error, unless it belongs to a part of the response that another error has already nulled.
   * @param nulledAt - The path that this error turns into null, or null for the whole of `data`
   */
  add(error: GraphQLError, nulledAt: ResponsePath | null): void {
    if (this.#nulled.size > 0) {
      for (let path = nulledAt; path !== null; path = path.parent) if (this.#nulled.has(path)) return
      if (this.#nulled.has(null)) return
    }
    this.#nulled.add(nulledAt)
    this.collected.push(error)
  }
}

/** Turns a failed value into `null`. Throws the located error instead if the value cannot be null. */
export type HandleError = (error: unknown, execution: Execution, path: ResponsePath) => string

export function errorHandler(isNullable: boolean, nodes: readonly FieldNode[]): HandleError {
  return (error, execution, path) => {
    const located = locatedError(error, nodes, pathKeys(path))
    if (!isNullable) throw located
    execution.errors.add(located, path)
    return 'null'
  }
}

function pathKeys(path: ResponsePath): (string | number)[] {
  const keys: (string | number)[] = []
  for (let at: ResponsePath | null = path; at !== null; at = at.parent) keys.push(at.key)
  return keys.reverse()
}
