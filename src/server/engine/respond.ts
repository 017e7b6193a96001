import { type ExecutionResult, type GraphQLError, OperationTypeNode } from 'graphql'
import { AnswerSize } from '../../graphql/results/answer-size.js'
import { resultText } from '../../graphql/results/result-text.js'
import type { FastPath } from '../fast-path/fast-path.js'
import type { AnswerText } from '../pipeline/answer-text.js'
import type { MaskError } from '../pipeline/mask-error.js'
import { isStream, type OperationRequest, type ResultStream } from '../pipeline/operation-request.js'
import type { QueuedClient } from '../pipeline/queued-client.js'
import type { PrepareOperation } from './prepare-operation.js'

/** A request as a transport received it. */
export interface GraphQLRequest {
  /** The body as text, by which answers are cached. Null if the transport has no body. */
  readonly body: string | null
  readonly author: string | null
  /** Parses the request. @throws on a malformed request */
  params(): OperationRequest
  /**
   * Returns a signal that aborts when the client is gone or has cancelled the operation. Called only if something can be
   * aborted.
   */
  signal(): AbortSignal
  /** Returns the client that sent the operation. Called only for heavy operations, which clients share fairly. */
  client(): QueuedClient
}

/** How a transport sends a response. Exactly one of `refuse`, `answer`, `stream` and `fail` is called, once. */
export interface GraphQLReply {
  /** Called at least once before an operation is executed. @throws if the transport does not answer this type */
  begin(type: OperationTypeNode): void
  /** The request is invalid, and nothing was executed. */
  refuse(errors: readonly GraphQLError[]): void
  answer(answer: AnswerText): void
  stream(results: ResultStream): void
  /** Called with any error that `params`, `begin` or unexpected code threw. */
  fail(error: unknown): void
}

/** Answers a GraphQL request from any transport. Never throws. */
export type Respond = (request: GraphQLRequest, reply: GraphQLReply) => void

/**
 * Creates the single entry point for GraphQL requests. It tries the cheapest path first: a cached answer, a single entry, the
 * compiled operation, and graphql-js, which can answer everything. It uses callbacks where it can, because each promise
 * on the way costs about as much as one of these steps.
 */
export function createRespond(
  fastPath: FastPath,
  prepare: PrepareOperation,
  mask: MaskError,
  answerBytes: number,
): Respond {
  function respond(request: GraphQLRequest, reply: GraphQLReply): void {
    const { body } = request
    let isAsked = false
    try {
      isAsked =
        body !== null &&
        fastPath.answerFromCache(body, (answer) =>
          answer === null ? respondUncached(request, reply) : send(OperationTypeNode.QUERY, answer, reply),
        )
    } catch (error) {
      return reply.fail(error)
    }
    if (!isAsked) respondUncached(request, reply)
  }

  function respondUncached(request: GraphQLRequest, reply: GraphQLReply): void {
    try {
      const params = request.params()
      const isAsked = fastPath.answerEntry(params, request.body, (answer) =>
        answer === null ? respondCompiled(params, request, reply) : send(OperationTypeNode.QUERY, answer, reply),
      )
      if (!isAsked) respondCompiled(params, request, reply)
    } catch (error) {
      reply.fail(error)
    }
  }

  function respondCompiled(params: OperationRequest, request: GraphQLRequest, reply: GraphQLReply): void {
    try {
      const answer = fastPath.answer(params, request, (type) => reply.begin(type))
      if (answer instanceof Promise) respondLater(answer, params, request, reply).catch((error) => reply.fail(error))
      else if (answer !== null) reply.answer(answer)
      else respondByGraphQLJs(params, request, reply).catch((error) => reply.fail(error))
    } catch (error) {
      reply.fail(error)
    }
  }

  async function respondLater(
    answer: Promise<AnswerText | null>,
    params: OperationRequest,
    request: GraphQLRequest,
    reply: GraphQLReply,
  ) {
    const text = await answer
    if (text === null) return respondByGraphQLJs(params, request, reply)
    reply.answer(text)
  }

  async function respondByGraphQLJs(params: OperationRequest, request: GraphQLRequest, reply: GraphQLReply) {
    const { author } = request
    const prepared = prepare(params, { author, signal: request.signal(), client: () => request.client() })
    if ('errors' in prepared) return reply.refuse(prepared.errors)
    reply.begin(prepared.type)
    const result = await prepared.start()
    if (isStream(result)) reply.stream(result)
    else reply.answer(textOf(result))
  }

  function textOf(result: ExecutionResult): AnswerText {
    try {
      const text = resultText(result)
      const error = new AnswerSize(answerBytes).errorOf(text)
      if (error !== undefined)
        return { text: resultText({ errors: [error], data: null }), failed: false, hasErrors: true }
      const hasErrors = result.errors !== undefined
      return { text, failed: hasErrors && result.data === undefined, hasErrors }
    } catch (error) {
      return { text: resultText({ errors: [mask(error)] }), failed: true, hasErrors: true }
    }
  }

  return respond
}

function send(type: OperationTypeNode, answer: AnswerText, reply: GraphQLReply): void {
  try {
    reply.begin(type)
    reply.answer(answer)
  } catch (error) {
    reply.fail(error)
  }
}
