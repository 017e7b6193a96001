import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { OperationTypeNode, type ExecutionResult } from 'graphql'
import { resultText } from '../graphql/negative-zero.js'
import { AUTHOR_HEADER, authorOf, headerText } from './author.js'
import { isStream, type Engine, type OperationRequest } from './engine.js'
import { HttpError } from './http-error.js'
import { paramsOfBody, paramsOfUrl } from './graphql-params.js'
import { answerType, isJson, type AnswerType } from './media-type.js'
import type { BodyReader } from './read-body.js'
import { requestError } from './request-error.js'
import { sendEvents } from './send-events.js'

export interface GraphQLOverHttp {
  readonly engine: Engine
  readonly bodies: BodyReader
  /** Aborts when the gateway stops: streams end, what else runs may finish. */
  readonly stopping: AbortSignal
}

/**
 * Answers one request by the GraphQL-over-HTTP specification: POST with JSON, GET for queries and
 * subscriptions, the answer as JSON, as `application/graphql-response+json` or as server-sent events.
 */
export function answerGraphQL(server: GraphQLOverHttp, request: IncomingMessage, response: ServerResponse, search: URLSearchParams): void {
  const accepted = answerType(request.headers.accept)
  /** Also before Node says that the request is complete. */
  let isRead = false
  const failed = (error: unknown) => answerError(server, response, accepted, error, isRead || request.complete)
  try {
    if (accepted === undefined) {
      throw new HttpError(406, requestError('BAD_USER_INPUT', 'accept application/json, application/graphql-response+json or text/event-stream'))
    }
    const author = readAuthor(request)
    const operation = operationOf(request, search)
    if (operation !== null) return void answerOperation(server, request, response, accepted, operation, author).catch(failed)
    server.bodies.read(request, (body) => {
      isRead = true
      if (body === null) return failed(new HttpError(400, requestError('BAD_USER_INPUT', 'the body is not valid UTF-8; send JSON in UTF-8')))
      const answer = () => void answerBody(server, request, response, accepted, body, author).catch(failed)
      const isAgain = accepted !== 'text/event-stream' && server.engine.again(body, (known) => {
        if (known === null) answer()
        else if (!response.destroyed) sendText(response, accepted, known.text, known.failed)
      })
      if (!isAgain) answer()
    }, failed)
  } catch (error) {
    failed(error)
  }
}

async function answerBody(
  server: GraphQLOverHttp, request: IncomingMessage, response: ServerResponse, accepted: AnswerType, body: string, author: string | null,
): Promise<void> {
  return answerOperation(server, request, response, accepted, paramsOfBody(body), author, body)
}

/** @throws HttpError */
async function answerOperation(
  server: GraphQLOverHttp, request: IncomingMessage, response: ServerResponse, accepted: AnswerType,
  operation: OperationRequest, author: string | null, body?: string,
): Promise<void> {
  if (accepted !== 'text/event-stream') {
    const writing = server.engine.write(operation, author, request.method === 'POST', body)
    if (writing !== null) {
      const { text, failed } = writing instanceof Promise ? await writing : writing
      return response.destroyed ? undefined : sendText(response, accepted, text, failed)
    }
  }
  const prepared = server.engine.prepare(operation, { author, signal: whenGone(response) })
  if ('errors' in prepared) return sendResult(response, accepted, prepared)
  if (request.method === 'GET' && prepared.type === OperationTypeNode.MUTATION) {
    throw new HttpError(405, requestError('BAD_USER_INPUT', 'a mutation is sent by POST, not by GET'), { allow: 'POST' })
  }
  if (prepared.type === OperationTypeNode.SUBSCRIPTION && accepted !== 'text/event-stream') {
    throw new HttpError(406, requestError('BAD_USER_INPUT', 'a subscription is answered as text/event-stream, or over a WebSocket (graphql-transport-ws)'))
  }
  const result = await prepared.start()
  if (response.destroyed) return isStream(result) ? void (await result.return?.()) : undefined
  if (accepted === 'text/event-stream') return await sendEvents(response, result, server.engine.mask, server.stopping)
  sendResult(response, accepted, result as ExecutionResult)
}

/** Aborts when nobody waits for the answer any more. */
function whenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  // A reason of our own: the one that is made otherwise costs a stack trace for each request.
  response.once('close', () => { if (!response.writableFinished) gone.abort('the client has gone') })
  if (response.destroyed) gone.abort('the client has gone')
  return gone.signal
}

function answerError(
  { engine }: GraphQLOverHttp, response: ServerResponse, accepted: AnswerType | undefined, error: unknown, isComplete: boolean,
): void {
  if (response.destroyed || response.headersSent) return void response.destroy()
  if (!(error instanceof HttpError)) return sendResult(response, accepted, { errors: [engine.mask(error)] }, 500)
  // What is left of a body that is not read would be taken for the next request.
  if (!isComplete) response.setHeader('connection', 'close')
  sendResult(response, accepted, { errors: [error.error] }, error.status, error.headers)
}

function readAuthor(request: IncomingMessage): string | null {
  try {
    return authorOf(headerText(request.headers[AUTHOR_HEADER]), 'the header X-Cadastre-Author')
  } catch (error) {
    throw new HttpError(400, requestError('BAD_USER_INPUT', (error as Error).message))
  }
}

/** The operation; null where the body holds it. @throws HttpError */
function operationOf(request: IncomingMessage, search: URLSearchParams): OperationRequest | null {
  if (request.method === 'GET') return paramsOfUrl(search)
  if (request.method !== 'POST') {
    throw new HttpError(405, requestError('BAD_USER_INPUT', 'send POST, or GET for a query'), { allow: 'GET, POST' })
  }
  // Nothing but JSON: what a web form can send needs no leave from a browser, and must not write.
  if (!isJson(request.headers['content-type']) || request.headers['content-encoding'] !== undefined) {
    throw new HttpError(415, requestError('BAD_USER_INPUT', 'send the operation as application/json, in UTF-8, not compressed'))
  }
  return null
}

function sendResult(
  response: ServerResponse, accepted: AnswerType | undefined, result: ExecutionResult, status?: number, headers?: OutgoingHttpHeaders,
): void {
  sendText(response, accepted, resultText(result), result.errors !== undefined && result.data === undefined, status, headers)
}

const CONTENT_TYPES = {
  'application/json': 'application/json; charset=utf-8',
  'application/graphql-response+json': 'application/graphql-response+json; charset=utf-8',
} as const

/** By the specification, application/json says 200 of every well-formed request, also of one that is in error. */
function sendText(
  response: ServerResponse, accepted: AnswerType | undefined, text: string, failed: boolean, status?: number, headers: OutgoingHttpHeaders = {},
): void {
  const type = accepted === 'application/graphql-response+json' ? accepted : 'application/json'
  for (const name in headers) response.setHeader(name, headers[name]!)
  response.writeHead(status ?? (failed && type !== 'application/json' ? 400 : 200), [
    'content-type', CONTENT_TYPES[type], 'content-length', String(Buffer.byteLength(text)), 'cache-control', 'no-store', 'x-content-type-options', 'nosniff',
  ])
  // As text: head and body then go out as one.
  response.end(text)
}
