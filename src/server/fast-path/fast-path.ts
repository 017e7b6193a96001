import { type DocumentNode, type GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql'
import type { EntryRevision } from '../../core/entry/entry.js'
import { createContext, type RequestContextOptions } from '../../graphql/base/request-context.js'
import type { CompiledResult } from '../../graphql/compiled/compile-operation.js'
import { singleEntryContext } from '../../graphql/compiled/single-entry-query.js'
import { cancelled } from '../../graphql/loading/heavy-work.js'
import type { AnswerSize } from '../../graphql/results/answer-size.js'
import { joinTexts } from '../../graphql/results/long-text.js'
import { resultText } from '../../graphql/results/result-text.js'
import type { Metrics } from '../observing/metrics.js'
import type { AnswerText, OnAnswer } from '../pipeline/answer-text.js'
import { Deadlines } from '../pipeline/deadlines.js'
import type { InFlightCounter } from '../pipeline/in-flight-counter.js'
import type { MaskError } from '../pipeline/mask-error.js'
import { deadlineError } from '../pipeline/operation-deadline.js'
import type { OperationLimits } from '../pipeline/operation-limits.js'
import type { Caller, OperationRequest } from '../pipeline/operation-request.js'
import { abortWith } from '../weighing/abort-with.js'
import { HEAVY_WEIGHT, type HeavyOperations } from '../weighing/heavy-operations.js'
import { operationWeight } from '../weighing/operation-weight.js'
import { AnswerCache } from './answer-cache.js'
import { type CompiledDocument, CompiledDocuments } from './compiled-documents.js'

/** Answers requests without graphql-js. Errors are in the answers, masked. */
export interface FastPath {
  /**
   * Answers a body that was answered before, if the entry that the answer shows is unchanged. Returns whether
   * `onAnswer` will be called.
   */
  answerFromCache(body: string, onAnswer: OnAnswer): boolean
  /** Drops the cached answers. */
  forgetAnswers(): void
  /**
   * Answers a query that depends on a single entry. It uses callbacks, because the promises of the other paths take
   * longer than the rest of such a query. Returns whether `onAnswer` will be called.
   * @param body - Caches the answer under this key; null does not cache it
   */
  answerEntry(request: OperationRequest, body: string | null, onAnswer: OnAnswer): boolean
  /**
   * Answers a query or mutation by its compiled operation. Returns or resolves to null if it has none. A heavy operation
   * waits for its client's turn.
   * @param begin - Called before the operation is executed
   * @throws what `begin` throws
   */
  answer(
    request: OperationRequest,
    caller: FastCaller,
    begin: (type: OperationTypeNode) => void,
  ): AnswerText | Promise<AnswerText | null> | null
}

/** The caller. Only heavy operations need more than the author. */
export interface FastCaller extends Pick<Caller, 'author' | 'client'> {
  signal(): AbortSignal
}

export interface FastPathOptions {
  readonly schema: GraphQLSchema
  /** Services of the resolvers, in addition to the caller. */
  readonly services: Omit<RequestContextOptions, 'author' | 'signal' | 'from'>
  readonly mask: MaskError
  readonly metrics: Metrics
  readonly limits: OperationLimits
  readonly inFlight: InFlightCounter
  readonly heavy: HeavyOperations
  /** Whether operations are compiled. Otherwise this path answers nothing. */
  readonly isCompiled: boolean
  readonly cachesAnswers: boolean
  /** Parses and validates a document with all plugins; null if they refuse it. */
  validated(query: string, operationName: string | null): DocumentNode | null
}

/** Operations that react to their caller's signal are not compiled. */
const NEVER = new AbortController().signal
const NO_ERRORS: readonly GraphQLError[] = []

/**
 * Creates the path that answers most queries. The work of the plugins for a document (parsing, validation, limits,
 * introspection) is done once, by the plugins themselves. Their work for a request (weight, masking, deadline,
 * metrics) is done for each request. A request that any of them refuses is left to graphql-js, which reports the
 * reason.
 */
export function createFastPath(options: FastPathOptions): FastPath {
  const { schema, services, mask, metrics, limits, inFlight, heavy } = options
  const deadlines = {
    [OperationTypeNode.QUERY]: new Deadlines(limits.querySeconds * 1_000),
    [OperationTypeNode.MUTATION]: new Deadlines(limits.mutationSeconds * 1_000),
  }
  const documents = options.isCompiled ? new CompiledDocuments(options) : null
  const emptyCache = () => (options.cachesAnswers ? new AnswerCache(services.registry, inFlight) : null)
  let answers = emptyCache()
  /** Shared by all callers, because an entry's content is the same for all of them. */
  const anonymous = createContext({ ...services, author: null, signal: NEVER })

  function textOf({ data, errors }: CompiledResult): AnswerText {
    if (errors.length === 0) return { text: joinTexts([data!], '{"data":', '', '}'), failed: false, hasErrors: false }
    const masked = resultText(errors.map(mask))
    return data === null
      ? { text: `{"errors":${masked}}`, failed: true, hasErrors: true }
      : { text: joinTexts([data], `{"errors":${masked},"data":`, '', '}'), failed: false, hasErrors: true }
  }

  /** Replaces a result that is too large by an error. */
  function bounded(result: CompiledResult, { answerSize }: { readonly answerSize: AnswerSize }): CompiledResult {
    const error = answerSize.errorOf(result.data ?? '')
    return error === undefined ? result : { data: 'null', errors: [error] }
  }

  /** Calls `onAnswer` once, within the query deadline, and counts the answer in the metrics. */
  function withinDeadline(onAnswer: OnAnswer): (answer: AnswerText | null, errors: readonly GraphQLError[]) => void {
    const ended = metrics.operationStarted(OperationTypeNode.QUERY)
    let isAnswered = false
    const settle = (answer: AnswerText | null, errors: readonly GraphQLError[]) => {
      if (isAnswered) return
      isAnswered = true
      cancelDeadline()
      if (answer !== null) ended({ errors })
      onAnswer(answer)
    }
    const cancelDeadline = deadlines[OperationTypeNode.QUERY].begin(() => {
      const errors = [deadlineError(OperationTypeNode.QUERY, limits)]
      settle(textOf({ data: null, errors }), errors)
    })
    return settle
  }

  const isLight = (weight: number | null) => weight !== null && weight < HEAVY_WEIGHT && weight <= limits.weight

  /** Executes an operation when it is its client's turn. Null if it has to be executed by graphql-js. */
  function answerHeavy(
    { type, execute }: CompiledDocument,
    variables: OperationRequest['variables'],
    caller: FastCaller,
  ): Promise<AnswerText | null> {
    const stop = new AbortController()
    const unlink = abortWith(caller.signal(), stop)
    const ended = metrics.operationStarted(type)
    inFlight.begin()
    return new Promise((resolve) => {
      let isAnswered = false
      const settle = (result: CompiledResult | 'too large' | null) => {
        if (isAnswered) return
        isAnswered = true
        cancelDeadline()
        unlink()
        inFlight.end()
        if (result === null || result === 'too large') return resolve(null)
        ended(result)
        resolve(textOf(result))
      }
      const fail = (error: unknown) => settle({ data: null, errors: [error as GraphQLError] })
      const cancelDeadline = deadlines[type].begin(() => {
        stop.abort(cancelled())
        fail(deadlineError(type, limits))
      })
      heavy
        .run(type, caller.client(), stop.signal, async (work) => {
          const context = createContext({ ...services, author: caller.author, signal: work.signal, heavy: work })
          const result = await execute(variables, context)
          return result === null || result === 'too large' ? result : bounded(result, context)
        })
        .then(settle, fail)
    })
  }

  return {
    answerFromCache(body, onAnswer) {
      const cached = answers?.get(body)
      if (answers === null || cached === undefined) return false
      const settle = withinDeadline(onAnswer)
      answers.validate(body, cached, (answer) => settle(answer, NO_ERRORS))
      return true
    },

    forgetAnswers() {
      answers = emptyCache()
    },

    answerEntry({ query, operationName, variables }, body, onAnswer) {
      const compiled = documents?.of(query, operationName) ?? null
      if (compiled === null || compiled.singleEntry === null || !isLight(compiled.weight)) return false
      const id = compiled.singleEntry(variables)
      if (id === null) return false

      const settle = withinDeadline(onAnswer)
      // The request was read before the answers are forgotten, so its answer goes where they go.
      const cache = answers
      inFlight.begin()
      const answer = (read: () => EntryRevision | null, mark: number | null) => {
        inFlight.end()
        const context = singleEntryContext(anonymous, limits.answerBytes, read)
        const result = compiled.execute(variables, context)
        // The operation needs more than the entry, or more than was compiled.
        if (result === null || result === 'too large' || result instanceof Promise) return settle(null, NO_ERRORS)
        const sent = bounded(result, context)
        const text = textOf(sent)
        if (body !== null && mark !== null && sent.errors.length === 0) cache?.set(body, { id, mark, answer: text })
        settle(text, sent.errors)
      }
      services.registry.entryAtHead(
        id,
        (entry, mark) => answer(() => entry, mark),
        (error) =>
          answer(() => {
            throw error
          }, null),
      )
      return true
    },

    answer({ query, operationName, variables }, caller, begin) {
      const compiled = documents?.of(query, operationName) ?? null
      if (compiled === null) return null
      const { document, operation, type } = compiled
      const weight = compiled.weight ?? operationWeight(schema, document, operation, variables).total
      if (weight > limits.weight) return null

      begin(type)
      if (weight >= HEAVY_WEIGHT) return answerHeavy(compiled, variables, caller)
      const { author } = caller
      const ended = metrics.operationStarted(type)
      const finish = (result: CompiledResult): AnswerText => {
        const sent = bounded(result, context)
        ended(sent)
        return textOf(sent)
      }
      const context = createContext({ ...services, author, signal: NEVER })
      const result = compiled.execute(variables, context)
      if (result === 'too large') documents?.exclude(query, operationName)
      if (result === null || result === 'too large') return null
      if (!(result instanceof Promise)) return finish(result)
      inFlight.begin()
      return new Promise<AnswerText>((resolve) => {
        let isAnswered = false
        const settle = (settled: CompiledResult) => {
          if (isAnswered) return
          isAnswered = true
          cancelDeadline()
          inFlight.end()
          resolve(finish(settled))
        }
        const fail = (error: unknown) => settle({ data: null, errors: [error as GraphQLError] })
        const cancelDeadline = deadlines[type].begin(() => fail(deadlineError(type, limits)))
        result.then(settle, fail)
      })
    },
  }
}
