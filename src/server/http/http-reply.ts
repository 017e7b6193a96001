import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { type GraphQLError, OperationTypeNode } from 'graphql'
import { isLong, type JsonText } from '../../graphql/results/long-text.js'
import { resultText } from '../../graphql/results/result-text.js'
import type { AnswerCaching } from '../caching/conditional-get.js'
import type { Compressor } from '../compression/compressor.js'
import type { GraphQLReply } from '../engine/respond.js'
import type { AnswerText } from '../pipeline/answer-text.js'
import type { MaskError } from '../pipeline/mask-error.js'
import type { ResultStream } from '../pipeline/operation-request.js'
import { requestError } from '../pipeline/request-error.js'
import { sendPieces } from '../streams/send-pieces.js'
import { sendResults } from '../streams/send-results.js'
import { MULTIPART, SERVER_SENT_EVENTS } from '../streams/stream-formats.js'
import { HttpError } from './http-error.js'
import type { ResponseType } from './media-type.js'

const CONTENT_TYPES = {
  'application/json': 'application/json; charset=utf-8',
  'application/graphql-response+json': 'application/graphql-response+json; charset=utf-8',
} as const

const NOT_STORED = ['cache-control', 'no-store']

/** Sends a GraphQL response as JSON, as server-sent events or in parts, whichever the client accepts. */
export class HttpReply implements GraphQLReply {
  /** Whether the whole body has been read. Node may report later that the request is complete. */
  isRead = false
  /** Tells caches how long they may use the answer, unless it has errors. Null if they may not store it. */
  caching: AnswerCaching | null = null

  /**
   * @param accepted - Undefined if the client accepts nothing that the gateway can send
   * @param isMultipart - Whether it accepts multipart subscriptions
   * @param stopping - Aborts when the gateway stops, which ends event streams
   */
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly accepted: ResponseType | undefined,
    private readonly isMultipart: boolean,
    private readonly mask: MaskError,
    private readonly stopping: AbortSignal,
    private readonly compressor: Compressor,
  ) {}

  /** @throws HttpError if this request may not execute the operation */
  begin(type: OperationTypeNode): void {
    if (type === OperationTypeNode.MUTATION && this.request.method === 'GET') {
      throw new HttpError(405, requestError('BAD_USER_INPUT', 'Send mutations by POST, not by GET.'), { allow: 'POST' })
    }
    if (type === OperationTypeNode.SUBSCRIPTION && this.accepted !== 'text/event-stream' && !this.isMultipart) {
      const message =
        'Subscriptions need the header "Accept: text/event-stream" or "Accept: multipart/mixed;subscriptionSpec=1.0", or a WebSocket that speaks graphql-transport-ws.'
      throw new HttpError(406, requestError('BAD_USER_INPUT', message))
    }
  }

  refuse(errors: readonly GraphQLError[]): void {
    this.answer({ text: resultText({ errors }), failed: true, hasErrors: true })
  }

  answer({ text, failed, hasErrors }: AnswerText): void {
    if (this.response.destroyed) return
    // In the protocol of server-sent events, errors are events, and a browser's EventSource reads nothing else.
    if (this.accepted === 'text/event-stream') this.#sendEvents(text)
    else if (!hasErrors && this.caching?.isAnyKnown === true) this.notModified(this.caching)
    else this.#sendText(text, failed, undefined, undefined, hasErrors ? null : this.caching)
  }

  /** Tells the client to use the answer that it has. */
  notModified({ headers }: AnswerCaching): void {
    if (!this.response.destroyed) this.response.writeHead(304, [...headers]).end()
  }

  stream(results: ResultStream): void {
    if (this.response.destroyed) void results.return?.()
    else this.#sendEvents(results)
  }

  fail(error: unknown): void {
    const { response } = this
    if (response.destroyed || response.headersSent) return void response.destroy()
    if (!(error instanceof HttpError)) {
      const masked = this.mask(error)
      const isInternal = masked.extensions['code'] === 'INTERNAL_SERVER_ERROR'
      return this.#sendText(resultText({ errors: [masked] }), true, isInternal ? 500 : undefined)
    }
    // The rest of an unread body would be parsed as the next request.
    if (!this.isRead && !this.request.complete) response.setHeader('connection', 'close')
    this.#sendText(resultText({ errors: [error.error] }), true, error.status, error.headers)
  }

  #sendEvents(results: ResultStream | JsonText): void {
    const format = this.accepted === 'text/event-stream' ? SERVER_SENT_EVENTS : MULTIPART
    const { response, mask, stopping } = this
    sendResults(response, format, results, mask, stopping).catch((error: unknown) => this.fail(error))
  }

  /** By the specification, application/json has status 200 for every well-formed request, even if it has errors. */
  #sendText(
    text: JsonText,
    failed: boolean,
    status?: number,
    headers: OutgoingHttpHeaders = {},
    caching: AnswerCaching | null = null,
  ): void {
    const { response, accepted } = this
    const type = accepted === 'application/graphql-response+json' ? accepted : 'application/json'
    for (const name in headers) response.setHeader(name, headers[name]!)
    const code = status ?? (failed && type !== 'application/json' ? 400 : 200)
    const common = [
      'content-type',
      CONTENT_TYPES[type],
      ...(caching?.headers ?? NOT_STORED),
      'x-content-type-options',
      'nosniff',
    ]
    if (this.compressor.send(response, code, common, text)) return
    if (typeof text !== 'string' || isLong(text)) {
      response.writeHead(code, common)
      sendPieces(response, text).then(
        () => response.end(),
        (error: unknown) => this.fail(error),
      )
      return
    }
    const bytes = Buffer.byteLength(text)
    response.writeHead(code, ['content-length', String(bytes), ...common])
    // As text, headers and body are sent together. Latin-1 is faster to encode, and most answers are plain ASCII.
    response.end(text, bytes === text.length ? 'latin1' : 'utf8')
  }
}
