import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { countNodes } from './count-nodes.js'
import type { OperationLimits } from './operation-limits.js'
import { requestError } from './request-error.js'

interface Arguments {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName?: string | null | undefined
  readonly variableValues?: unknown
}

/** Refuses operations whose answer could contain more objects than the limit, before any object is read. */
export function useNodeLimit(limits: Pick<OperationLimits, 'nodes'>): Plugin {
  const refusal = ({ schema, document, operationName, variableValues }: Arguments) => {
    const operation = getOperationAST(document, operationName)
    if (operation === null || operation === undefined) return undefined
    const error = nodeLimitRefusal(limits, {
      schema,
      document,
      operation,
      variables: (variableValues ?? {}) as Record<string, unknown>,
    })
    return error && { errors: [error] }
  }
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const refused = refusal(args)
      if (refused !== undefined) setResultAndStopExecution(refused)
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const refused = refusal(args)
      if (refused !== undefined) setResultAndStopExecution(refused)
    },
  }
}

interface Counted {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly variables: Readonly<Record<string, unknown>>
}

/** Arguments that determine how many objects a field returns. */
const SIZES = new Set(['first', 'last', 'ids'])

/** Whether the number of objects depends on variables. Otherwise it is the same for each request of the document. */
export function isSizedByVariables(document: DocumentNode): boolean {
  let found = false
  visit(document, {
    Argument({ name, value }) {
      found ||= SIZES.has(name.value) && value.kind === Kind.VARIABLE
    },
  })
  return found
}

export function nodeLimitRefusal(
  { nodes }: Pick<OperationLimits, 'nodes'>,
  { schema, document, operation, variables }: Counted,
): GraphQLError | undefined {
  const asked = countNodes(schema, document, operation, variables)
  if (asked <= nodes) return undefined
  const message = `By its page sizes, the answer could contain ${asked} objects, more than the limit of ${nodes}. Request smaller pages (first, last) or fewer levels.`
  return requestError('QUERY_TOO_COMPLEX', message)
}
