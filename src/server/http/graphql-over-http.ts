import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GraphQLError } from 'graphql'
import type { AnswerCaching, ConditionalGets, ConditionalRequest } from '../caching/conditional-get.js'
import type { Compressor } from '../compression/compressor.js'
import type { RequestDocuments } from '../documents/request-documents.js'
import type { Engine } from '../engine/engine.js'
import type { GraphQLRequest } from '../engine/respond.js'
import type { JsonBounds } from '../json/json-bounds.js'
import { type ScannedJson, scanJson } from '../json/scan-json.js'
import { authorHeader, parseAuthor } from '../pipeline/author.js'
import type { OperationRequest } from '../pipeline/operation-request.js'
import { clientOf, type QueuedClient } from '../pipeline/queued-client.js'
import { requestError } from '../pipeline/request-error.js'
import type { BodyReader } from './body-reader.js'
import { paramsOfBody, paramsOfUrl } from './graphql-params.js'
import { HttpError } from './http-error.js'
import { HttpReply } from './http-reply.js'
import { acceptsMultipart, isJson, responseType } from './media-type.js'

export interface GraphQLOverHttp {
  readonly engine: Engine
  readonly bodies: BodyReader
  /** Limits what a body may hold, in addition to its length. */
  readonly bounds: JsonBounds
  readonly documents: RequestDocuments
  readonly conditionalGets: ConditionalGets
  readonly compressor: Compressor
  /** Aborts when the gateway stops. Streams end; other requests may finish. */
  readonly stopping: AbortSignal
}

/**
 * Answers one request according to the GraphQL-over-HTTP specification: POST with JSON, GET for queries and subscriptions,
 * the response as JSON, as `application/graphql-response+json`, as server-sent events or in parts.
 */
export function answerGraphQL(
  gateway: GraphQLOverHttp,
  request: IncomingMessage,
  response: ServerResponse,
  search: URLSearchParams,
): void {
  const { engine, bodies, bounds, documents, conditionalGets, compressor, stopping } = gateway
  const { accept } = request.headers
  const isMultipart = acceptsMultipart(accept)
  // Such a client gets single answers as JSON, because its header says how it wants subscriptions.
  const accepted = responseType(accept) ?? (isMultipart ? 'application/json' : undefined)
  const reply = new HttpReply(request, response, accepted, isMultipart, engine.mask, stopping, compressor)
  try {
    if (accepted === undefined) {
      const message =
        'Accept application/json, application/graphql-response+json, text/event-stream or multipart/mixed;subscriptionSpec=1.0.'
      throw new HttpError(406, requestError('BAD_USER_INPUT', message))
    }
    const author = readAuthor(request)
    if (request.method === 'GET') {
      const params = paramsOfUrl(search, documents)
      const respond = () => engine.respond(new HttpRequest(response, null, author, () => params), reply)
      if (accepted === 'text/event-stream') return respond()
      const conditional: ConditionalRequest = {
        operation: params,
        variables: search.get('variables') ?? '',
        type: accepted,
        ifNoneMatch: request.headers['if-none-match'],
      }
      return void respondUnlessKnown(conditionalGets, conditional, reply, respond)
    }
    checkPost(request)
    const respond = (scanned: ScannedJson) =>
      engine.respond(new HttpRequest(response, scanned.text, author, () => paramsOfBody(scanned, documents)), reply)
    bodies.read(
      request,
      response,
      (body) => {
        reply.isRead = true
        if (body === null) return reply.fail(badRequest('The body is not valid UTF-8. Send JSON in UTF-8.'))
        const scanned = scanJson(body, bounds)
        if (!(scanned instanceof Promise)) return respond(scanned)
        scanned.then(respond, (error: GraphQLError) => reply.fail(new HttpError(413, error)))
      },
      (error) => reply.fail(error),
    )
  } catch (error) {
    reply.fail(error)
  }
}

/** Answers by GET: without executing anything if the client has the answer. */
async function respondUnlessKnown(
  gets: ConditionalGets,
  request: ConditionalRequest,
  reply: HttpReply,
  respond: () => void,
): Promise<void> {
  let caching: AnswerCaching | null
  try {
    caching = await gets.caching(request)
  } catch {
    // The head cannot be read. The operation says why, with a code.
    caching = null
  }
  if (caching?.isKnown === true) return reply.notModified(caching)
  reply.caching = caching
  respond()
}

class HttpRequest implements GraphQLRequest {
  constructor(
    private readonly response: ServerResponse,
    readonly body: string | null,
    readonly author: string | null,
    readonly params: () => OperationRequest,
  ) {}

  client(): QueuedClient {
    const { socket } = this.response.req
    return clientOf(socket, this.author)
  }

  signal(): AbortSignal {
    const { response } = this
    const gone = new AbortController()
    // An explicit reason: the default one costs a stack trace for each request.
    const abort = () => {
      if (!response.writableFinished) gone.abort('the client is gone')
    }
    response.once('close', abort)
    // Node closes only the response that is being sent, and none that waits behind it.
    if (response.socket === null) response.req.socket.once('close', abort)
    if (response.destroyed) gone.abort('the client is gone')
    return gone.signal
  }
}

/** @throws HttpError */
function readAuthor(request: IncomingMessage): string | null {
  try {
    return parseAuthor(authorHeader(request), 'the header X-Cadastre-Author')
  } catch (error) {
    throw badRequest((error as Error).message)
  }
}

/** @throws HttpError if the request is not a POST of JSON */
function checkPost(request: IncomingMessage): void {
  if (request.method !== 'POST') {
    throw new HttpError(405, requestError('BAD_USER_INPUT', 'Send POST, or GET for a query.'), { allow: 'GET, POST' })
  }
  // Only JSON is accepted. Web pages may send the media types of forms to any origin, and such requests must not write.
  if (!isJson(request.headers['content-type']) || request.headers['content-encoding'] !== undefined) {
    const message = 'Send the request as application/json, in UTF-8, not compressed.'
    throw new HttpError(415, requestError('BAD_USER_INPUT', message))
  }
}

function badRequest(message: string): HttpError {
  return new HttpError(400, requestError('BAD_USER_INPUT', message))
}
