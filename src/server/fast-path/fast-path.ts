import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { EntryRevision } from '../../core/entry/entry.js'
import { createContext, type RequestContextOptions } from '../../graphql/base/request-context.js'
import {
  type CompiledOperation,
  type CompiledResult,
  compileOperation,
} from '../../graphql/compiled/compile-operation.js'
import {
  type SingleEntryQuery,
  singleEntryContext,
  singleEntryQuery,
} from '../../graphql/compiled/single-entry-query.js'
import { resultText } from '../../graphql/results/result-text.js'
import type { Metrics } from '../observing/metrics.js'
import { Deadlines } from '../pipeline/deadlines.js'
import type { InFlightCounter } from '../pipeline/in-flight-counter.js'
import type { MaskError } from '../pipeline/mask-error.js'
import { isSizedByVariables, nodeLimitRefusal } from '../pipeline/node-limit.js'
import { deadlineError } from '../pipeline/operation-deadline.js'
import type { OperationLimits } from '../pipeline/operation-limits.js'
import type { OperationRequest } from '../pipeline/operation-request.js'
import type { AnswerText, OnAnswer } from './answer.js'
import { AnswerCache } from './answer-cache.js'

export interface FastPath {
  /**
   * Answers a query or mutation with text; null where only the long way answers it. Never throws; errors are in the text, masked.
   * @param mayChange - Whether mutations are done
   */
  write(request: OperationRequest, author: string | null, mayChange: boolean): AnswerText | Promise<AnswerText> | null
  /**
   * Tells the answer to a query that follows from one entry, errors in it masked: what is promised on the way of the others takes longer than
   * all that such a query needs. False where it is another query, or a wrong one; then `tell` is not called at all. `tell` may not throw.
   * @param body - As it came; its answer is remembered where the entry has been asked for before
   */
  tellEntry(request: OperationRequest, body: string, tell: OnAnswer): boolean
  /**
   * Gives the answer to a body that has been answered before, where what it told of is as it was: otherwise `tell` is
   * called with null. False where nothing is remembered; then `tell` is not called at all. `tell` may not throw.
   */
  again(body: string, tell: OnAnswer): boolean
}

export interface FastPathOptions {
  readonly schema: GraphQLSchema
  /** What resolvers are offered besides the caller. */
  readonly offered: Omit<RequestContextOptions, 'author' | 'signal' | 'from'>
  readonly mask: MaskError
  readonly metrics: Metrics
  readonly limits: OperationLimits
  /** Waited for when the gateway stops. */
  readonly inFlight: InFlightCounter
  /** Sends a document through all that prepares one; null where it is refused. */
  checked(query: string, operationName: string | null): DocumentNode | null
}

/** @bound Documents that stay compiled. */
const COMPILED_DOCUMENTS = 256
/** @bound Characters of a document that is compiled. */
const COMPILED_LENGTH = 16 * 1024
/** What heeds a signal is not compiled. */
const NEVER = new AbortController().signal
const NO_ERRORS: readonly GraphQLError[] = []

interface Compiled {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly type: OperationTypeNode.QUERY | OperationTypeNode.MUTATION
  readonly write: CompiledOperation
  /** Whether it is within the limit on nodes, where that is the same each time. */
  readonly isWithin: boolean | null
  /** Null where the answer does not follow from one entry. */
  readonly lone: SingleEntryQuery | null
}

/** No document is a list, so no key is two requests'. */
function keyOf(query: string, operationName: string | null): string {
  return operationName === null ? query : JSON.stringify([operationName, query])
}

/**
 * The way of most queries. What the plugins make of a document (parsing, validation, their limits, introspection) is the
 * same each time, so it is asked for once, by the pipeline itself; what they do for each request (the limit on nodes, masking,
 * the deadline, metrics) is done for each request. What is refused anywhere goes the long way, which says why.
 */
export function createFastPath(options: FastPathOptions): FastPath {
  const { schema, offered, mask, metrics, limits, inFlight } = options
  const deadlines = {
    [OperationTypeNode.QUERY]: new Deadlines(limits.querySeconds * 1_000),
    [OperationTypeNode.MUTATION]: new Deadlines(limits.mutationSeconds * 1_000),
  }
  const remembered = new AnswerCache(offered.registry, inFlight)
  /** Of nobody in particular: who asks makes no difference to what an entry holds. */
  const nobody = createContext({ ...offered, author: null, signal: NEVER })
  const known = new LRUCache<string, Compiled | 'long way'>({ max: COMPILED_DOCUMENTS })

  function compiled(query: string, operationName: string | null): Compiled | 'long way' {
    const key = keyOf(query, operationName)
    let found = known.get(key)
    if (found === undefined) {
      const document = options.checked(query, operationName)
      // What is refused is not remembered here: it must not push out what is of use.
      if (document === null) return 'long way'
      const operation = getOperationAST(document, operationName)!
      const write =
        operation.operation === OperationTypeNode.SUBSCRIPTION ? null : compileOperation(schema, document, operation)
      if (write === null) found = 'long way'
      else {
        const isWithin = isSizedByVariables(document)
          ? null
          : nodeLimitRefusal(limits, { schema, document, operation, variables: {} }) === undefined
        found = {
          document,
          operation,
          type: operation.operation as Compiled['type'],
          write,
          isWithin,
          lone: singleEntryQuery(schema, operation),
        }
      }
      known.set(key, found)
    }
    return found
  }

  function textOf({ data, errors }: CompiledResult): AnswerText {
    if (errors.length === 0) return { text: `{"data":${data!}}`, failed: false }
    const told = resultText(errors.map(mask))
    return data === null
      ? { text: `{"errors":${told}}`, failed: true }
      : { text: `{"errors":${told},"data":${data}}`, failed: false }
  }

  function write(
    { query, operationName, variables }: OperationRequest,
    author: string | null,
    mayChange: boolean,
  ): AnswerText | Promise<AnswerText> | null {
    if (query.length > COMPILED_LENGTH) return null
    const plan = compiled(query, operationName)
    if (plan === 'long way') return null
    const { document, operation, type, isWithin } = plan
    if (type === OperationTypeNode.MUTATION && !mayChange) return null
    if (!(isWithin ?? nodeLimitRefusal(limits, { schema, document, operation, variables }) === undefined)) return null

    const ended = metrics.operationStarted(type)
    const finish = (answer: CompiledResult): AnswerText => {
      ended(answer)
      return textOf(answer)
    }
    const context = createContext({ ...offered, author, signal: NEVER })
    const writing = plan.write(variables, context)
    if (writing === 'too large') known.set(keyOf(query, operationName), 'long way')
    if (writing === null || writing === 'too large') return null
    if (!(writing instanceof Promise)) return finish(writing)
    inFlight.begin()
    return new Promise<AnswerText>((resolve) => {
      let isAnswered = false
      const settle = (answer: CompiledResult) => {
        if (isAnswered) return
        isAnswered = true
        inTime()
        inFlight.end()
        resolve(finish(answer))
      }
      const failed = (error: unknown) => settle({ data: null, errors: [error as GraphQLError] })
      const inTime = deadlines[type].begin(() => failed(deadlineError(type, limits)))
      writing.then(settle, failed)
    })
  }

  /** Has an answer told once, within the deadline, and counted where there is one. */
  function inTime(tell: OnAnswer): (answer: AnswerText | null, errors: readonly GraphQLError[]) => void {
    const ended = metrics.operationStarted(OperationTypeNode.QUERY)
    let isTold = false
    const settle = (answer: AnswerText | null, errors: readonly GraphQLError[]) => {
      if (isTold) return
      isTold = true
      came()
      if (answer !== null) ended({ errors })
      tell(answer)
    }
    const came = deadlines[OperationTypeNode.QUERY].begin(() => {
      const errors = [deadlineError(OperationTypeNode.QUERY, limits)]
      settle(textOf({ data: null, errors }), errors)
    })
    return settle
  }

  function tellEntry({ query, operationName, variables }: OperationRequest, body: string, tell: OnAnswer): boolean {
    if (query.length > COMPILED_LENGTH) return false
    const plan = compiled(query, operationName)
    if (plan === 'long way' || plan.lone === null || plan.isWithin !== true) return false
    const id = plan.lone(variables)
    if (id === null) return false

    const settle = inTime(tell)
    inFlight.begin()
    const answer = (read: () => EntryRevision | null, mark: number | null) => {
      inFlight.end()
      const written = plan.write(variables, singleEntryContext(nobody, read))
      // Not compiled after all; and what has to wait for more than the entry is not written here.
      if (written === null || written === 'too large' || written instanceof Promise) return settle(null, NO_ERRORS)
      const text = textOf(written)
      if (mark !== null && written.errors.length === 0) remembered.remember(body, id, mark, text)
      settle(text, written.errors)
    }
    offered.registry.entryAtHead(
      id,
      (entry, mark) => answer(() => entry, mark),
      (error) =>
        answer(() => {
          throw error
        }, null),
    )
    return true
  }

  function again(body: string, tell: OnAnswer): boolean {
    const known = remembered.of(body)
    if (known === undefined) return false
    const settle = inTime(tell)
    remembered.ask(body, known, (answer) => settle(answer, NO_ERRORS))
    return true
  }

  return { write, tellEntry, again }
}
