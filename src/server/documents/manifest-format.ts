import { setImmediate as nextTick } from 'node:timers/promises'
import { GraphQLError, parse } from 'graphql'
import { isJsonObject } from '../../core/entry/json.js'
import { parseJson } from '../../sources/forms/parse-json.js'

/** The documents of a manifest by their ids. */
export type DocumentsById = ReadonlyMap<string, string>

/** Documents that are parsed without a break. One takes about 0.1 ms. */
const AT_ONCE = 20

/**
 * Reads a manifest: `{"<id>": "<document>"}`, as GraphQL Code Generator and relay-compiler write it, or the list of
 * `operations` of Apollo's `generate-persisted-query-manifest`.
 * @throws Error that says what is wrong and where
 */
export async function parseManifest(text: string): Promise<DocumentsById> {
  const found = documentsIn(jsonOf(text))
  let count = 0
  for (const [id, document] of found) {
    if (++count % AT_ONCE === 0) await nextTick()
    checkDocument(id, document)
  }
  return found
}

function documentsIn(manifest: unknown): Map<string, string> {
  if (!isJsonObject(manifest)) throw new Error('it is not a JSON object of documents by their ids')
  const documents = new Map<string, string>()
  for (const [place, id, document] of isOfApollo(manifest) ? ofApollo(manifest) : ofIds(manifest)) {
    if (typeof id !== 'string' || id === '') throw new Error(`${place} has no id`)
    if (typeof document !== 'string') throw new Error(`${place} is not a document, but ${typeOf(document)}`)
    if (documents.has(id) && documents.get(id) !== document) throw new Error(`${place} has the id of another document`)
    documents.set(id, document)
  }
  return documents
}

type Row = readonly [place: string, id: unknown, document: unknown]

function ofIds(manifest: object): Row[] {
  return Object.entries(manifest).map(([id, document]) => [JSON.stringify(id), id, document])
}

const isOfApollo = (manifest: Record<string, unknown>): boolean =>
  manifest['format'] === 'apollo-persisted-query-manifest'

function ofApollo({ operations }: Record<string, unknown>): Row[] {
  if (!Array.isArray(operations)) throw new Error('"operations" is not a list')
  return operations.map((operation: unknown, i) => {
    const { id, body } = isJsonObject(operation) ? operation : ({} as Record<string, unknown>)
    return [`operations[${i}]`, id, body]
  })
}

function checkDocument(id: string, document: string): void {
  try {
    parse(document, { noLocation: true })
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    const { line = 1, column = 1 } = error.locations?.[0] ?? {}
    throw new Error(`the document ${JSON.stringify(id)} cannot be parsed at ${line}:${column}: ${error.message}`)
  }
}

/** A duplicate id is a fault here, because one of its documents would be lost. */
function jsonOf(text: string): unknown {
  const { documents, faults } = parseJson(text)
  const [fault] = faults
  if (fault !== undefined) throw new Error(`line ${fault.line}, column ${fault.column}: ${fault.message}`)
  return documents[0]!.value
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}
