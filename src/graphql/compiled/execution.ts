import { type FieldNode, type GraphQLError, locatedError } from 'graphql'
import type { RequestContext } from '../base/request-context.js'
import type { Values } from './compile-variables.js'

/** One run of a compiled operation. */
export interface Run {
  readonly context: RequestContext
  readonly variables: Values
  readonly errors: CollectedErrors
}

/** A place in the answer, from the inside out. */
export interface Place {
  readonly before: Place | null
  readonly key: string | number
}

/** What is to be told: of what has fallen away already, nothing more. */
export class CollectedErrors {
  readonly told: GraphQLError[] = []
  readonly #fallen = new Set<Place | null>()

  /** @param place - What became null by it; null for all of it */
  add(error: GraphQLError, place: Place | null): void {
    if (this.#fallen.size > 0) {
      for (let at = place; at !== null; at = at.before) if (this.#fallen.has(at)) return
      if (this.#fallen.has(null)) return
    }
    this.#fallen.add(place)
    this.told.push(error)
  }
}

/** What is written instead of a value that failed. */
export function failing(mayBeNull: boolean, nodes: readonly FieldNode[]) {
  return (error: unknown, run: Run, here: Place): string => {
    const located = locatedError(error, nodes, pathOf(here))
    if (!mayBeNull) throw located
    run.errors.add(located, here)
    return 'null'
  }
}

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = []
  for (let at: Place | null = place; at !== null; at = at.before) path.push(at.key)
  return path.reverse()
}
