import jsonata from 'jsonata'
import type { Json } from '../../core/entry/json.js'
import { numberFault } from '../../core/entry/number-fault.js'
import type { Definition, Fault, FormReading, Position, SourceDocument } from './source-document.js'

/** The form of foreign documents: JSONata expressions that turn one item into one definition. */
export interface MappingExpressions {
  /** Text `namespace:name` or `{ns, name}`. If it returns nothing, the item is skipped. */
  readonly id: string
  readonly kind: string
  readonly meta?: string | undefined
  readonly data?: string | undefined
  /**
   * The items of a document, one or a list (`kind = "List" ? items : $`). By default the elements of a list are its items,
   * and any other document is one item.
   */
  readonly each?: string | undefined
}

/** A mapping that does not parse. The message names the expression and the character. */
export class InvalidMapping extends Error {
  override readonly name = 'InvalidMapping'
}

export interface MappingBounds {
  /** Time for each expression over each item. */
  readonly milliseconds: number
  /** Nesting of an expression's evaluation. */
  readonly depth: number
  /** Values in one list that an expression creates. */
  readonly values: number
}

const BOUNDS: MappingBounds = { milliseconds: 1_000, depth: 500, values: 100_000 }

/**
 * Maps a document. In expressions `$location` is the document's location and `$document` the whole document. `bindings` are
 * further values and functions by name. Returns undefined if no item has an id. Never throws: a failing expression is a fault.
 */
export type MapDocument = (
  document: SourceDocument,
  location: string,
  bindings?: Readonly<Record<string, unknown>>,
) => Promise<FormReading | undefined>

type Part = keyof MappingExpressions
type Evaluate = (input: unknown, bindings: Record<string, unknown>) => Promise<unknown>

/** @throws InvalidMapping */
export function compileMapping(expressions: MappingExpressions, bounds: MappingBounds = BOUNDS): MapDocument {
  const compiled = (part: Part): Evaluate => compile(part, expressions[part], bounds)
  const [each, id, kind, meta, data] = [
    compiled('each'),
    compiled('id'),
    compiled('kind'),
    compiled('meta'),
    compiled('data'),
  ]

  const define = async (
    item: unknown,
    bindings: Record<string, unknown>,
    position: Position,
  ): Promise<Definition | undefined> => {
    const given = await id(item, bindings)
    if (given === undefined || given === null) return undefined
    return {
      id: given,
      kind: await kind(item, bindings),
      meta: await meta(item, bindings),
      data: await data(item, bindings),
      position,
    }
  }

  return async (document, location, more) => {
    const bindings = { ...more, clone: structuredClone, location, document: document.value }
    const definitions: Definition[] = []
    const faults: Fault[] = []
    const guarded = async (position: Position, work: () => Promise<void>) => {
      try {
        await work()
      } catch (error) {
        faults.push({
          ...position,
          message: error instanceof MappingFault ? error.message : `the mapping failed: ${messageOf(error)}`,
        })
      }
    }
    await guarded(document.positionOf([]), async () => {
      const items = expressions.each === undefined ? document.value : await each(document.value, bindings)
      const positionOf = itemPositions(document)
      for (const item of Array.isArray(items) ? (items as unknown[]) : items === undefined ? [] : [items]) {
        const position = positionOf(item)
        await guarded(position, async () => {
          const definition = await define(item, bindings, position)
          if (definition !== undefined) definitions.push(definition)
        })
      }
    })
    return definitions.length === 0 && faults.length === 0 ? undefined : { definitions, faults }
  }
}

class MappingFault extends Error {}

function compile(part: Part, text: string | undefined, bounds: MappingBounds): Evaluate {
  if (text === undefined) return () => Promise.resolve(undefined)
  let expression: jsonata.Expression
  try {
    expression = jsonata(text, { timeout: bounds.milliseconds, stack: bounds.depth, sequence: bounds.values })
  } catch (error) {
    const { position } = error as Partial<jsonata.JsonataError>
    throw new InvalidMapping(
      `the expression for ${part} is not valid JSONata${position === undefined ? '' : ` at character ${position}`}: ${messageOf(error)}`,
    )
  }
  const rounded = roundedNumber(text, expression.ast())
  if (rounded !== undefined)
    throw new InvalidMapping(`the expression for ${part} holds a number that cannot be kept: ${rounded}`)
  return async (input, bindings) => {
    try {
      return plain(await expression.evaluate(input, bindings))
    } catch (error) {
      throw new MappingFault(`the mapping's expression for ${part} failed: ${messageOf(error)}`)
    }
  }
}

/** The fault of a number in an expression that JSONata has rounded. Its syntax tree has the end of each number. */
function roundedNumber(text: string, node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  const { type, position } = node as { type?: unknown; position?: number }
  const written = type === 'number' ? /\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.exec(text.slice(0, position))?.[0] : undefined
  const fault = written === undefined ? undefined : numberFault(written)
  if (fault !== undefined) return fault
  for (const child of Object.values(node)) {
    const found = roundedNumber(text, child)
    if (found !== undefined) return found
  }
  return undefined
}

/** Copies a list, because JSONata adds properties of its own to lists. Nested lists are serialized anyway. */
function plain(value: unknown): unknown {
  return Array.isArray(value) ? Array.from(value as unknown[]) : value
}

function messageOf(error: unknown): string {
  // JSONata throws objects that are not errors.
  const { message } = error as { message?: unknown }
  return typeof message === 'string' ? message : String(error)
}

/** Finds the position of an item. Most items are parts of the document, at most two levels down. */
function itemPositions(document: SourceDocument): (item: unknown) => Position {
  const places = new Map<Json, Position>()
  const note = (value: Json, path: readonly (string | number)[]) => {
    if (typeof value !== 'object' || value === null || places.has(value)) return
    places.set(value, document.positionOf(path))
    if (path.length === 2) return
    if (Array.isArray(value)) value.forEach((child: Json, index) => note(child, [...path, index]))
    else for (const key of Object.keys(value)) note((value as Record<string, Json>)[key]!, [...path, key])
  }
  note(document.value, [])
  return (item) => places.get(item as Json) ?? document.positionOf([])
}
