import type { GraphQLError } from 'graphql'
import type { CompositionFault, SubgraphText } from './compose-job.js'
import type { Subgraph } from './read-subgraph.js'
import { type SchemaLines, schemaLines } from './schema-lines.js'

/** @bound Faults of a composition that are reported. */
export const SHOWN_FAULTS = 50
/** @bound Characters of one fault's message. A message about paths through many subgraphs can be very long. */
const LONGEST_MESSAGE = 4_096

export type ReadSubgraphs = readonly (readonly [SubgraphText, Subgraph])[]

/** Reports the composer's errors by subgraph and line. An error about several subgraphs is reported at those of the changeset. */
export function compositionFaults(errors: readonly GraphQLError[], subgraphs: ReadSubgraphs): CompositionFault[] {
  const lines = new Map<string, SchemaLines>()
  const linesOf = (sdl: string) => {
    const found = lines.get(sdl) ?? schemaLines(sdl)
    lines.set(sdl, found)
    return found
  }
  const shown = errors.slice(0, SHOWN_FAULTS).flatMap((error) => faultsOf(error, subgraphs, linesOf))
  const more = errors.length - SHOWN_FAULTS
  return more > 0 ? [...shown, { id: shown[0]?.id ?? null, message: `and ${more} more errors` }] : shown
}

function faultsOf(
  error: GraphQLError,
  subgraphs: ReadSubgraphs,
  linesOf: (sdl: string) => SchemaLines,
): CompositionFault[] {
  const { code } = error.extensions
  const message = cut(error.message.replace(/^\[[^\]]*\] /, ''))
  const named = concerned(error, subgraphs)
  const touched = named.filter(([{ isTouched }]) => isTouched)
  const places = touched.length > 0 ? touched : named.slice(0, 1)
  const text = `${message}${message.endsWith('.') ? '' : '.'} (${String(code)})`
  if (places.length === 0) return [{ id: null, message: text }]
  return places.map(([{ id }, { sdl }]) => {
    const line = unknownIn(sdl, error.message) ?? lineIn(linesOf(sdl), error.message)
    return { id, message: line === undefined ? text : `line ${line} of data.sdl: ${text}` }
  })
}

/** The subgraphs that an error names. */
function concerned({ extensions, message }: GraphQLError, subgraphs: ReadSubgraphs): ReadSubgraphs {
  const { subgraphName } = extensions
  const names = new Set(typeof subgraphName === 'string' ? [subgraphName] : [])
  for (const [, list] of message.matchAll(/subgraphs? ((?:"[^"]+"(?:, | and )?)+)/g))
    for (const [, name] of list!.matchAll(/"([^"]+)"/g)) names.add(name!)
  return subgraphs.filter(([{ name }]) => names.has(name))
}

/** The line of the first type or field that the message names and the SDL defines. */
function lineIn(lines: SchemaLines, message: string): number | undefined {
  // The second definition of a name is the one too many.
  const which = /only (?:one|be defined once)/.test(message) ? 'last' : 'first'
  for (const [name] of message.matchAll(/(?<![\w@$])[A-Za-z_]\w*(?:\.\w+)?/g)) {
    const line = /^[A-Z_]|\./.test(name) ? lines.get(name)?.[which] : undefined
    if (line !== undefined) return line
  }
  return undefined
}

/** The line where a name occurs that nothing defines: `Unknown type Usr`. */
function unknownIn(sdl: string, message: string): number | undefined {
  const name = /Unknown (?:type|directive) "?(@?\w+)"?/.exec(message)?.[1]
  if (name === undefined) return undefined
  const at = sdl.search(new RegExp(`${name.startsWith('@') ? '' : '\\b'}${name}\\b`))
  return at < 0 ? undefined : sdl.slice(0, at).split('\n').length
}

function cut(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message
}
