import { type GraphQLError, OperationTypeNode } from 'graphql'
import type { OperationLimits } from './operation-limits.js'
import { requestError } from './request-error.js'

/** What is running, or after the type's deadline an error that says so; `ending` is aborted then. */
export async function withOperationDeadline<Result>(
  running: Promise<Result>,
  type: OperationTypeNode,
  limits: OperationLimits,
  ending: AbortController,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      ending.abort('the deadline has passed')
      reject(deadlineError(type, limits))
    }, secondsOf(type, limits) * 1000)
  })
  try {
    return await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
  }
}

function secondsOf(type: OperationTypeNode, { mutationSeconds, querySeconds }: OperationLimits): number {
  return type === OperationTypeNode.MUTATION ? mutationSeconds : querySeconds
}

/** What is told instead of an answer that has not come. */
export function deadlineError(type: OperationTypeNode, limits: OperationLimits): GraphQLError {
  const seconds = secondsOf(type, limits)
  if (type === OperationTypeNode.MUTATION) {
    const message = `no answer within ${seconds} seconds: it may yet be applied; send it again with the same idempotencyKey to learn its outcome`
    return requestError('OUTCOME_UNKNOWN', message)
  }
  return requestError('TIMEOUT', `no answer within ${seconds} seconds; ask for less at once`)
}
