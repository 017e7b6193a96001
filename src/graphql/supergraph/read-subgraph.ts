import { type DocumentNode, GraphQLError, isExecutableDefinitionNode, parse } from 'graphql'
import { isJsonObject, type Json } from '../../core/entry/json.js'
import { utf8Length } from '../../core/entry/text.js'
import type { SubgraphText } from './compose-job.js'

/** @bound Size of a subgraph's SDL. */
const SDL_BYTES = 4 * 1024 * 1024
/** @bound Tokens of a subgraph's SDL. Composing takes memory for each of them. */
const SDL_TOKENS = 1_000_000

/** The data of a subgraph's entry. */
export interface Subgraph {
  readonly sdl: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>> | null
  readonly document: DocumentNode
}

/** Reads a subgraph's data. The fault says what is wrong and what to do. */
export function readSubgraph({ name, dataText }: SubgraphText): Subgraph | { readonly fault: string } {
  // The supergraph has an enum value for each subgraph, which is made of its name.
  if (!/^[A-Za-z][\w.-]*$/.test(name)) return { fault: NAME }
  const data = JSON.parse(dataText) as Json
  if (!isJsonObject(data)) return { fault: 'data must be an object with `sdl` and `url`.' }
  const { sdl, url, headers = null } = data
  const fault = sdlFault(sdl) ?? urlFault(url) ?? headersFault(headers)
  if (fault !== undefined) return { fault }
  const document = parsed(sdl as string)
  if ('fault' in document) return document
  return { sdl, url, headers, document } as Subgraph
}

function sdlFault(sdl: Json | undefined): string | undefined {
  if (sdl === undefined || sdl === null) return 'data.sdl is missing. Send the text of the schema.'
  if (typeof sdl !== 'string') return `data.sdl is ${typeOf(sdl)}, not text. Send the text of the schema.`
  if (sdl.startsWith('file://'))
    return 'data.sdl names a file, which only sources and `cadastre apply` read. Send the text of the schema.'
  if (sdl.trim() === '') return 'data.sdl is empty. Send the text of the schema.'
  const bytes = utf8Length(sdl)
  return bytes > SDL_BYTES
    ? `data.sdl has ${bytes} bytes, and it may have ${SDL_BYTES}. Split the subgraph.`
    : undefined
}

function urlFault(url: Json | undefined): string | undefined {
  if (url === undefined || url === null) return 'data.url is missing. Send the address of the subgraph.'
  const isAddress = typeof url === 'string' && /^https?:\/\//i.test(url) && URL.canParse(url)
  return isAddress ? undefined : 'data.url is not an address. It must begin with http:// or https://.'
}

function headersFault(headers: Json): string | undefined {
  if (headers === null) return undefined
  const isFit = isJsonObject(headers) && Object.values(headers).every((value) => typeof value === 'string')
  return isFit ? undefined : 'data.headers must be an object of texts.'
}

const NAME = 'its name must begin with a letter A to Z, and have only these, digits, and the characters _ . -'
const EXECUTABLE = 'data.sdl has an operation or a fragment. Send definitions of types only.'

function parsed(sdl: string): DocumentNode | { readonly fault: string } {
  try {
    // Locations would take about half of the memory. `lineOf` finds them when they are needed.
    const document = parse(sdl, { noLocation: true, maxTokens: SDL_TOKENS })
    return document.definitions.some(isExecutableDefinitionNode) ? { fault: EXECUTABLE } : document
  } catch (error) {
    // The parser is recursive.
    if (error instanceof RangeError) return { fault: 'data.sdl nests too deeply to be parsed. Flatten it.' }
    if (!(error instanceof GraphQLError)) throw error
    const line = error.locations?.[0]?.line
    return { fault: `${line === undefined ? '' : `line ${line} of data.sdl: `}${error.message}` }
  }
}

function typeOf(value: Json): string {
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
