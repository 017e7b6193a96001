import { GraphQLError } from 'graphql'
import { parseExactJson } from '../../core/entry/exact-json.js'
import { isJsonObject } from '../../core/entry/json.js'
import type { ScannedJson } from '../json/scan-json.js'
import type { OperationRequest } from '../pipeline/operation-request.js'
import type { PersistedQueries } from '../pipeline/persisted-queries.js'
import { requestError } from '../pipeline/request-error.js'
import { HttpError } from './http-error.js'

/** Reads a GraphQL request from a JSON body. @throws HttpError 400 */
export function paramsOfBody(
  { text, mayHoldInexactNumber, parsed }: ScannedJson,
  persisted: PersistedQueries,
): OperationRequest {
  let body: unknown
  try {
    body = parsed === undefined ? parseExactJson(text, mayHoldInexactNumber) : parsed.value
  } catch (error) {
    throw bad(`The body is not JSON: ${(error as Error).message}.`)
  }
  if (Array.isArray(body)) throw bad('The body is a list. Send one operation in each request.')
  if (!isJsonObject(body)) throw bad('The body is not a JSON object. Send {"query": "…", "variables": {…}}.')
  return checked(persisted, body['query'], body['operationName'], body['variables'], body['extensions'])
}

/** Reads a GraphQL request from the query of a URL. @throws HttpError 400 */
export function paramsOfUrl(search: URLSearchParams, persisted: PersistedQueries): OperationRequest {
  return checked(
    persisted,
    search.get('query'),
    search.get('operationName'),
    json('variables', search),
    json('extensions', search),
  )
}

function checked(
  persisted: PersistedQueries,
  sent: unknown,
  operationName: unknown,
  variables: unknown,
  extensions: unknown,
): OperationRequest {
  if (!isObjectOrNothing(extensions)) throw bad('"extensions" is not a JSON object.')
  const query = documentOf(persisted, sent, extensions)
  if (query === undefined || query === null) throw bad('There is no query. Send the document as "query".')
  if (typeof query !== 'string') throw bad('"query" is not a string.')
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string')
    throw bad('"operationName" is not a string.')
  if (!isObjectOrNothing(variables)) throw bad('"variables" is not a JSON object.')
  return { query, operationName: operationName === '' ? null : (operationName ?? null), variables: variables ?? {} }
}

/** A client sends the document after PERSISTED_QUERY_NOT_FOUND, so that answer is no failure of HTTP. */
function documentOf(persisted: PersistedQueries, query: unknown, extensions: unknown): unknown {
  try {
    return persisted.documentOf(query, extensions)
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    throw new HttpError(error.extensions['code'] === 'BAD_USER_INPUT' ? 400 : 200, error)
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
