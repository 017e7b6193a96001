import type { Fetcher, FetcherParams } from '@graphiql/toolkit'
import { Kind, type OperationDefinitionNode, parse } from 'graphql'
import type { Client, FormattedExecutionResult } from 'graphql-ws'
import type { Endpoint } from './endpoint'
import { openSocket } from './open-socket'

type Headers = Record<string, string>

interface Observer {
  next(result: FormattedExecutionResult<Record<string, unknown>, unknown>): void
  error(problem: unknown): void
  complete(): void
}

/**
 * The GraphQL operation to run, parsed from the text. The name and syntax tree that the editor passes lag behind the text by
 * 100 ms, so the first run after a tab change would name the operation of the previous tab.
 */
const chosenOperation = ({ query, operationName }: FetcherParams): OperationDefinitionNode | undefined => {
  try {
    const operations = parse(query).definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION)
    return operations.find((each) => each.name?.value === operationName) ?? operations[0]
  } catch {
    return undefined // The gateway reports syntax errors better than this page could.
  }
}

const post = async (url: string, request: FetcherParams, headers: Headers): Promise<FormattedExecutionResult> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify(request),
  })
  const text = await response.text()
  try {
    return JSON.parse(text) as FormattedExecutionResult
  } catch {
    throw new Error(`The gateway answered ${response.status} ${response.statusText}: ${text.slice(0, 500)}`)
  }
}

/** Browsers cannot set headers on a WebSocket, so `connection_init` carries them. */
const connectionParams = (headers: Headers): Headers => {
  const params = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const author = params['x-cadastre-author']
  return author === undefined ? params : { ...params, author }
}

const readable = (problem: unknown): unknown =>
  problem instanceof CloseEvent
    ? new Error(`The gateway closed the connection: ${problem.code} ${problem.reason}`.trim())
    : problem

/** Returns an observable instead of an async iterator, because stopping it takes effect at once. */
const follow = (endpoint: Endpoint, shared: Client, request: FetcherParams, headers: Headers) => ({
  subscribe(observer: Observer) {
    const own = Object.keys(headers).length > 0 ? openSocket(endpoint.socket, connectionParams(headers)) : undefined
    const { query, operationName, variables } = request
    const stop = (own ?? shared).subscribe(
      { query, operationName: operationName ?? null, variables },
      { ...observer, next: (result) => observer.next(result), error: (problem) => observer.error(readable(problem)) },
    )
    return {
      unsubscribe() {
        stop()
        void own?.dispose()
      },
    }
  },
})

/** Sends queries and mutations by POST, and subscriptions over graphql-ws. Both carry the headers from the editor. */
export const createFetcher = (endpoint: Endpoint, shared: Client): Fetcher =>
  ((params, options) => {
    const headers = (options?.headers ?? {}) as Headers
    const operation = chosenOperation(params)
    const request: FetcherParams = operation ? { ...params, operationName: operation.name?.value ?? null } : params
    return operation?.operation === 'subscription'
      ? follow(endpoint, shared, request, headers)
      : post(endpoint.http, request, headers)
  }) as Fetcher
