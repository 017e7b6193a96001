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
import type { OperationLimits } from '../pipeline/operation-limits.js'
import { requestError } from '../pipeline/request-error.js'
import { operationWeight } from './operation-weight.js'

interface Arguments {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName?: string | null | undefined
  readonly variableValues?: unknown
}

/** Refuses operations that weigh more than the limit, before anything is read. */
export function useWeightLimit(limits: Pick<OperationLimits, 'weight'>): Plugin {
  const refusal = ({ schema, document, operationName, variableValues }: Arguments) => {
    const operation = getOperationAST(document, operationName)
    if (operation === null || operation === undefined) return undefined
    const error = weightRefusal(limits, {
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

interface Weighed {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly variables: Readonly<Record<string, unknown>>
}

/** Arguments that determine how many objects a field returns. */
const SIZES = new Set(['first', 'last', 'ids', 'representations'])

/** Whether the weight depends on variables. Otherwise it is the same for each request of the document. */
export function isWeighedByVariables(document: DocumentNode): boolean {
  let found = false
  visit(document, {
    Argument({ name, value }) {
      found ||= SIZES.has(name.value) && value.kind === Kind.VARIABLE
    },
  })
  return found
}

function weightRefusal(
  { weight: limit }: Pick<OperationLimits, 'weight'>,
  { schema, document, operation, variables }: Weighed,
): GraphQLError | undefined {
  const { total, heaviest } = operationWeight(schema, document, operation, variables)
  if (total <= limit) return undefined
  const message = `By its fields and page sizes, the operation weighs ${total}, more than the limit of ${limit}. "${heaviest!.field}" weighs ${heaviest!.weight} of it. Select fewer costly fields in one request, smaller pages (first, last) or fewer levels.`
  return requestError('QUERY_TOO_COMPLEX', message)
}
