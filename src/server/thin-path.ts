import { getOperationAST, OperationTypeNode, type DocumentNode, type GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import { LRUCache } from 'lru-cache'
import { createContext, type RequestContextOptions } from '../graphql/context.js'
import { resultText } from '../graphql/negative-zero.js'
import { compileQuery, type WriteOperation, type WrittenAnswer } from '../graphql/text/operation-writer.js'
import type { OperationRequest } from './engine.js'
import type { MaskError } from './mask-error.js'
import type { Metrics } from './metrics.js'
import { Deadlines } from './deadlines.js'
import { isSizedByVariables, nodeLimitRefusal } from './node-limit.js'
import { lateError } from './operation-deadline.js'
import type { OperationLimits } from './operation-limits.js'

/** An answer's JSON text. */
export interface AnswerText {
  readonly text: string
  /** Whether nothing could be begun: there are errors and no data. */
  readonly failed: boolean
}

/** Answers a query with text; null where only the long way answers it. Never throws; errors are in the text, masked. */
export type ThinPath = (request: OperationRequest, author: string | null) => AnswerText | Promise<AnswerText> | null

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
/** Queries look at no signal: nothing of theirs outlives their answer. */
const NEVER = new AbortController().signal

interface Compiled {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly write: WriteOperation
  /** Whether it is within the limit on nodes, where that is the same each time. */
  readonly isWithin: boolean | null
}

/**
 * The way of most queries. What the plugins make of a document (parsing, validation, their limits, introspection) is the
 * same each time, so it is asked for once, by the pipeline itself; what they do for each request (the limit on nodes, masking,
 * the deadline, metrics) is done for each request. What is refused anywhere goes the long way, which says why.
 */
export function createThinPath(options: ThinPathOptions): ThinPath {
  const { schema, offered, mask, metrics, limits, running } = options
  const deadlines = new Deadlines(limits.querySeconds * 1_000)
  const known = new LRUCache<string, Compiled | 'long way'>({ max: COMPILED_DOCUMENTS })

  function compiled(query: string, operationName: string | null): Compiled | 'long way' {
    const key = `${operationName ?? ''} ${query}`
    let found = known.get(key)
    if (found === undefined) {
      const document = options.checked(query, operationName)
      // What is refused is not remembered here: it must not push out what is of use.
      if (document === null) return 'long way'
      const operation = getOperationAST(document, operationName)!
      const write = compileQuery(schema, document, operation)
      if (write === null) found = 'long way'
      else {
        const isWithin = isSizedByVariables(document) ? null : nodeLimitRefusal(limits, { schema, document, operation, variables: {} }) === undefined
        found = { document, operation, write, isWithin }
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

  return ({ query, operationName, variables }, author) => {
    if (query.length > COMPILED_LENGTH) return null
    const plan = compiled(query, operationName)
    if (plan === 'long way') return null
    const { document, operation, write, isWithin } = plan
    if (!(isWithin ?? nodeLimitRefusal(limits, { schema, document, operation, variables }) === undefined)) return null

    const ended = metrics.operationStarted(OperationTypeNode.QUERY)
    const finish = (answer: WrittenAnswer): AnswerText => {
      ended(answer)
      return textOf(answer)
    }
    const writing = write(variables, createContext({ ...offered, author, signal: NEVER }))
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
        resolve(finish(answer))
      }
      const failed = (error: unknown) => settle({ data: null, errors: [error as GraphQLError] })
      const inTime = deadlines.begin(() => failed(lateError(OperationTypeNode.QUERY, limits.querySeconds)))
      writing.then(settle, failed)
    })
    running.add(answered)
    return answered
  }
}
