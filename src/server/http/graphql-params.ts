import { GraphQLError } from 'graphql'
import { parseExactJson } from '../../core/entry/exact-json.js'
import { isJsonObject } from '../../core/entry/json.js'
import type { RequestDocuments, SentDocument } from '../documents/request-documents.js'
import type { ScannedJson } from '../json/scan-json.js'
import type { OperationRequest } from '../pipeline/operation-request.js'
import { requestError } from '../pipeline/request-error.js'
import { HttpError } from './http-error.js'

/** Reads a GraphQL request from a JSON body. @throws HttpError 400 */
export function paramsOfBody(
  { text, mayHoldInexactNumber, parsed }: ScannedJson,
  documents: RequestDocuments,
): OperationRequest {
  let body: unknown
  try {
    body = parsed === undefined ? parseExactJson(text, mayHoldInexactNumber) : parsed.value
  } catch (error) {
    throw bad(`The body is not JSON: ${(error as Error).message}.`)
  }
  if (Array.isArray(body)) throw bad('The body is a list. Send one operation in each request.')
  if (!isJsonObject(body)) throw bad('The body is not a JSON object. Send {"query": "…", "variables": {…}}.')
  const { query, documentId, operationName, variables, extensions } = body
  return checked(documents, { query, documentId, extensions }, operationName, variables)
}

/** Reads a GraphQL request from the query of a URL. @throws HttpError 400 */
export function paramsOfUrl(search: URLSearchParams, documents: RequestDocuments): OperationRequest {
  return checked(
    documents,
    { query: search.get('query'), documentId: search.get('documentId'), extensions: json('extensions', search) },
    search.get('operationName'),
    json('variables', search),
  )
}

function checked(
  documents: RequestDocuments,
  sent: SentDocument,
  operationName: unknown,
  variables: unknown,
): OperationRequest {
  if (!isObjectOrNothing(sent.extensions)) throw bad('"extensions" is not a JSON object.')
  const query = documentOf(documents, sent)
  if (query === undefined || query === null) throw bad('There is no query. Send the document as "query".')
  if (typeof query !== 'string') throw bad('"query" is not a string.')
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string')
    throw bad('"operationName" is not a string.')
  if (!isObjectOrNothing(variables)) throw bad('"variables" is not a JSON object.')
  return { query, operationName: operationName === '' ? null : (operationName ?? null), variables: variables ?? {} }
}

/** A client sends the document after these, so they are no failure of HTTP. */
const ANSWERED_WITH_DOCUMENT: ReadonlySet<unknown> = new Set([
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
])

function documentOf(documents: RequestDocuments, sent: SentDocument): unknown {
  try {
    return documents.documentOf(sent)
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    throw new HttpError(ANSWERED_WITH_DOCUMENT.has(error.extensions['code']) ? 200 : 400, error)
  }
}

function isObjectOrNothing(value: unknown): value is Record<string, unknown> | null | undefined {
  return value === undefined || value === null || isJsonObject(value)
}

function json(name: string, search: URLSearchParams): unknown {
  const text = search.get(name)
  if (text === null || text === '') return undefined
  try {
    return parseExactJson(text)
  } catch (error) {
    throw bad(`"${name}" is not JSON: ${(error as Error).message}.`)
  }
}

function bad(message: string): HttpError {
  return new HttpError(400, requestError('BAD_USER_INPUT', message))
}
