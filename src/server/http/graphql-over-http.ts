import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { type ExecutionResult, OperationTypeNode } from 'graphql'
import { resultText } from '../../graphql/results/result-text.js'
import type { Engine } from '../engine/engine.js'
import type { AnswerText } from '../fast-path/answer.js'
import { AUTHOR_HEADER, headerText, parseAuthor } from '../pipeline/author.js'
import { isStream, type OperationRequest } from '../pipeline/operation-request.js'
import { requestError } from '../pipeline/request-error.js'
import type { BodyReader } from './body-reader.js'
import { paramsOfBody, paramsOfUrl } from './graphql-params.js'
import { HttpError } from './http-error.js'
import { isJson, type ResponseType, responseType } from './media-type.js'
import { sendServerSentEvents } from './server-sent-events.js'

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
export function answerGraphQL(
  server: GraphQLOverHttp,
  request: IncomingMessage,
  response: ServerResponse,
  search: URLSearchParams,
): void {
  const accepted = responseType(request.headers.accept)
  /** Also before Node says that the request is complete. */
  let isRead = false
  const failed = (error: unknown) => answerError(server, response, accepted, error, isRead || request.complete)
  try {
    if (accepted === undefined) {
      throw new HttpError(
        406,
        requestError(
          'BAD_USER_INPUT',
          'accept application/json, application/graphql-response+json or text/event-stream',
        ),
      )
    }
    const author = readAuthor(request)
    const operation = operationOf(request, search)
    if (operation !== null)
      return void answerOperation(server, request, response, accepted, operation, author).catch(failed)
    server.bodies.read(
      request,
      (body) => {
        isRead = true
        if (body === null)
          return failed(
            new HttpError(400, requestError('BAD_USER_INPUT', 'the body is not valid UTF-8; send JSON in UTF-8')),
          )
        answerBody(server, request, response, accepted, body, author, failed)
      },
      failed,
    )
  } catch (error) {
    failed(error)
  }
}

/** Never throws. By calls, as long as they serve: each promise on the way costs about as much as one of the steps. */
function answerBody(
  server: GraphQLOverHttp,
  request: IncomingMessage,
  response: ServerResponse,
  accepted: ResponseType,
  body: string,
  author: string | null,
  failed: (error: unknown) => void,
): void {
  const { engine } = server
  const take = (answer: AnswerText | null, otherwise: () => void) => {
    try {
      if (answer === null) otherwise()
      else if (!response.destroyed) sendText(response, accepted, answer.text, answer.failed)
    } catch (error) {
      failed(error)
    }
  }
  const answer = () => {
    const operation = paramsOfBody(body)
    const atLength = () => void answerOperation(server, request, response, accepted, operation, author).catch(failed)
    if (accepted === 'text/event-stream' || !engine.tellEntry(operation, body, (known) => take(known, atLength)))
      atLength()
  }
  try {
    if (accepted === 'text/event-stream' || !engine.again(body, (known) => take(known, answer))) answer()
  } catch (error) {
    failed(error)
  }
}

/** @throws HttpError */
async function answerOperation(
  server: GraphQLOverHttp,
  request: IncomingMessage,
  response: ServerResponse,
  accepted: ResponseType,
  operation: OperationRequest,
  author: string | null,
): Promise<void> {
  if (accepted !== 'text/event-stream') {
    const writing = server.engine.write(operation, author, request.method === 'POST')
    if (writing !== null) {
      const { text, failed } = writing instanceof Promise ? await writing : writing
      return response.destroyed ? undefined : sendText(response, accepted, text, failed)
    }
  }
  const prepared = server.engine.prepare(operation, { author, signal: whenGone(response) })
  if ('errors' in prepared) {
    // Who reads events is told by one: their protocol has it so, and a browser's EventSource reads nothing else.
    return accepted === 'text/event-stream'
      ? sendServerSentEvents(response, prepared, server.engine.mask, server.stopping)
      : sendResult(response, accepted, prepared)
  }
  if (request.method === 'GET' && prepared.type === OperationTypeNode.MUTATION) {
    throw new HttpError(405, requestError('BAD_USER_INPUT', 'a mutation is sent by POST, not by GET'), {
      allow: 'POST',
    })
  }
  if (prepared.type === OperationTypeNode.SUBSCRIPTION && accepted !== 'text/event-stream') {
    throw new HttpError(
      406,
      requestError(
        'BAD_USER_INPUT',
        'a subscription is answered as text/event-stream, or over a WebSocket (graphql-transport-ws)',
      ),
    )
  }
  const result = await prepared.start()
  if (response.destroyed) return isStream(result) ? void (await result.return?.()) : undefined
  if (accepted === 'text/event-stream')
    return await sendServerSentEvents(response, result, server.engine.mask, server.stopping)
  sendResult(response, accepted, result as ExecutionResult)
}

/** Aborts when nobody waits for the answer any more. */
function whenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  // A reason of our own: the one that is made otherwise costs a stack trace for each request.
  response.once('close', () => {
    if (!response.writableFinished) gone.abort('the client has gone')
  })
  if (response.destroyed) gone.abort('the client has gone')
  return gone.signal
}

function answerError(
  { engine }: GraphQLOverHttp,
  response: ServerResponse,
  accepted: ResponseType | undefined,
  error: unknown,
  isComplete: boolean,
): void {
  if (response.destroyed || response.headersSent) return void response.destroy()
  if (!(error instanceof HttpError)) {
    const told = engine.mask(error)
    return sendResult(
      response,
      accepted,
      { errors: [told] },
      told.extensions['code'] === 'INTERNAL_SERVER_ERROR' ? 500 : undefined,
    )
  }
  // What is left of a body that is not read would be taken for the next request.
  if (!isComplete) response.setHeader('connection', 'close')
  sendResult(response, accepted, { errors: [error.error] }, error.status, error.headers)
}

function readAuthor(request: IncomingMessage): string | null {
  try {
    return parseAuthor(headerText(request.headers[AUTHOR_HEADER]), 'the header X-Cadastre-Author')
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
    throw new HttpError(
      415,
      requestError('BAD_USER_INPUT', 'send the operation as application/json, in UTF-8, not compressed'),
    )
  }
  return null
}

function sendResult(
  response: ServerResponse,
  accepted: ResponseType | undefined,
  result: ExecutionResult,
  status?: number,
  headers?: OutgoingHttpHeaders,
): void {
  sendText(
    response,
    accepted,
    resultText(result),
    result.errors !== undefined && result.data === undefined,
    status,
    headers,
  )
}

const CONTENT_TYPES = {
  'application/json': 'application/json; charset=utf-8',
  'application/graphql-response+json': 'application/graphql-response+json; charset=utf-8',
} as const

/** By the specification, application/json says 200 of every well-formed request, also of one that is in error. */
function sendText(
  response: ServerResponse,
  accepted: ResponseType | undefined,
  text: string,
  failed: boolean,
  status?: number,
  headers: OutgoingHttpHeaders = {},
): void {
  const type = accepted === 'application/graphql-response+json' ? accepted : 'application/json'
  for (const name in headers) response.setHeader(name, headers[name]!)
  const bytes = Buffer.byteLength(text)
  response.writeHead(status ?? (failed && type !== 'application/json' ? 400 : 200), [
    'content-type',
    CONTENT_TYPES[type],
    'content-length',
    String(bytes),
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
  ])
  // As text: head and body then go out as one. Plain ASCII, which most is, takes less to write where it is said to be no more.
  response.end(text, bytes === text.length ? 'latin1' : 'utf8')
}
