import { getOperationAST, OperationTypeNode, type DocumentNode, type GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { EntryId } from '../core/entry-id.js'
import { createContext, type RequestContext, type RequestContextOptions } from '../graphql/context.js'
import { resultText } from '../graphql/negative-zero.js'
import { loneEntry, type LoneEntry } from '../graphql/text/lone-entry.js'
import { compileOperation, type WriteOperation, type WrittenAnswer } from '../graphql/text/operation-writer.js'
import type { OperationRequest } from './engine.js'
import type { MaskError } from './mask-error.js'
import type { Metrics } from './metrics.js'
import { Deadlines } from './deadlines.js'
import { isSizedByVariables, nodeLimitRefusal } from './node-limit.js'
import { lateError } from './operation-deadline.js'
import type { OperationLimits } from './operation-limits.js'
import { RememberedAnswers } from './remembered-answers.js'

/** An answer's JSON text. */
export interface AnswerText {
  readonly text: string
  /** Whether nothing could be begun: there are errors and no data. */
  readonly failed: boolean
}

export interface ThinPath {
  /**
   * Answers a query or mutation with text; null where only the long way answers it. Never throws; errors are in the text, masked.
   * @param body - As it came, where its answer may be given again
   * @param mayChange - Whether mutations are done
   */
  write(request: OperationRequest, author: string | null, mayChange: boolean, body?: string): AnswerText | Promise<AnswerText> | null
  /**
   * Gives the answer to a body that has been answered before, where what it told of is as it was: otherwise `tell` is
   * called with null. False where nothing is remembered; then `tell` is not called at all.
   */
  again(body: string, tell: (answer: AnswerText | null) => void): boolean
}

export interface ThinPathOptions {
  readonly schema: GraphQLSchema
  /** What resolvers are offered besides the caller. */
  readonly offered: Omit<RequestContextOptions, 'author' | 'signal' | 'from'>
  readonly mask: MaskError
  readonly metrics: Metrics
  readonly limits: OperationLimits
  /** Where what runs is waited for when the gateway stops. */
  readonly running: Set<Promise<unknown>>
  /** Sends a document through all that prepares one; null where it is refused. */
  checked(query: string, operationName: string | null): DocumentNode | null
}

const COMPILED_DOCUMENTS = 256
const COMPILED_LENGTH = 16 * 1024
/** What heeds a signal is not compiled. */
const NEVER = new AbortController().signal
const NO_ERRORS: readonly GraphQLError[] = []

interface Compiled {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly type: OperationTypeNode.QUERY | OperationTypeNode.MUTATION
  readonly write: WriteOperation
  /** Whether it is within the limit on nodes, where that is the same each time. */
  readonly isWithin: boolean | null
  /** Null where the answer does not follow from one entry. */
  readonly lone: LoneEntry | null
}

/**
 * The way of most queries. What the plugins make of a document (parsing, validation, their limits, introspection) is the
 * same each time, so it is asked for once, by the pipeline itself; what they do for each request (the limit on nodes, masking,
 * the deadline, metrics) is done for each request. What is refused anywhere goes the long way, which says why.
 */
export function createThinPath(options: ThinPathOptions): ThinPath {
  const { schema, offered, mask, metrics, limits, running } = options
  const deadlines = {
    [OperationTypeNode.QUERY]: new Deadlines(limits.querySeconds * 1_000),
    [OperationTypeNode.MUTATION]: new Deadlines(limits.mutationSeconds * 1_000),
  }
  const remembered = new RememberedAnswers(offered.registry, running)
  const known = new LRUCache<string, Compiled | 'long way'>({ max: COMPILED_DOCUMENTS })

  function compiled(query: string, operationName: string | null): Compiled | 'long way' {
    const key = `${operationName ?? ''} ${query}`
    let found = known.get(key)
    if (found === undefined) {
      const document = options.checked(query, operationName)
      // What is refused is not remembered here: it must not push out what is of use.
      if (document === null) return 'long way'
      const operation = getOperationAST(document, operationName)!
      const write = compileOperation(schema, document, operation)
      if (write === null) found = 'long way'
      else {
        const isWithin = isSizedByVariables(document) ? null : nodeLimitRefusal(limits, { schema, document, operation, variables: {} }) === undefined
        found = { document, operation, type: operation.operation as Compiled['type'], write, isWithin, lone: loneEntry(schema, operation) }
      }
      known.set(key, found)
    }
    return found
  }

  function textOf({ data, errors }: WrittenAnswer): AnswerText {
    if (errors.length === 0) return { text: `{"data":${data!}}`, failed: false }
    const told = resultText(errors.map(mask))
    return data === null ? { text: `{"errors":${told}}`, failed: true } : { text: `{"errors":${told},"data":${data}}`, failed: false }
  }

  /** What is not in memory as it was told is not remembered. */
  async function remember(body: string, id: EntryId | null, context: RequestContext, answer: AnswerText): Promise<void> {
    const entry = id === null ? null : await context.loaders().entry.load(id)
    if (entry !== null) remembered.remember(body, entry, answer)
  }

  function write(
    { query, operationName, variables }: OperationRequest, author: string | null, mayChange: boolean, body?: string,
  ): AnswerText | Promise<AnswerText> | null {
    if (query.length > COMPILED_LENGTH) return null
    const plan = compiled(query, operationName)
    if (plan === 'long way') return null
    const { document, operation, type, isWithin } = plan
    if (type === OperationTypeNode.MUTATION && !mayChange) return null
    if (!(isWithin ?? nodeLimitRefusal(limits, { schema, document, operation, variables }) === undefined)) return null

    const ended = metrics.operationStarted(type)
    const finish = (answer: WrittenAnswer): AnswerText => {
      ended(answer)
      return textOf(answer)
    }
    const context = createContext({ ...offered, author, signal: NEVER })
    const writing = plan.write(variables, context)
    if (writing === null) {
      known.set(`${operationName ?? ''} ${query}`, 'long way')
      return null
    }
    if (!(writing instanceof Promise)) return finish(writing)
    const answered = new Promise<AnswerText>((resolve) => {
      let isAnswered = false
      const settle = (answer: WrittenAnswer) => {
        if (isAnswered) return
        isAnswered = true
        inTime()
          running.delete(answered)
        const text = finish(answer)
        resolve(text)
        if (body !== undefined && plan.lone !== null && answer.errors.length === 0) void remember(body, plan.lone(variables), context, text)
      }
      const failed = (error: unknown) => settle({ data: null, errors: [error as GraphQLError] })
      const inTime = deadlines[type].begin(() => failed(lateError(type, limits)))
      writing.then(settle, failed)
    })
    running.add(answered)
    return answered
  }

  function again(body: string, tell: (answer: AnswerText | null) => void): boolean {
    const known = remembered.of(body)
    if (known === undefined) return false
    const ended = metrics.operationStarted(OperationTypeNode.QUERY)
    let isTold = false
    const settle = (answer: AnswerText | null, errors: readonly GraphQLError[]) => {
      if (isTold) return
      isTold = true
      inTime()
      if (answer !== null) ended({ errors })
      tell(answer)
    }
    const failed = (error: GraphQLError) => settle(textOf({ data: null, errors: [error] }), [error])
    const inTime = deadlines[OperationTypeNode.QUERY].begin(() => failed(lateError(OperationTypeNode.QUERY, limits)))
    remembered.ask(body, known, (answer) => settle(answer, NO_ERRORS))
    return true
  }

  return { write, again }
}
