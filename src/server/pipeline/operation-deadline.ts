import { type GraphQLError, OperationTypeNode } from 'graphql'
import type { OperationLimits } from './operation-limits.js'
import { requestError } from './request-error.js'

/**
 * Awaits an operation and aborts `execution` after the deadline of its type. @throws GraphQLError TIMEOUT or
 * OUTCOME_UNKNOWN
 */
export async function withOperationDeadline<Result>(
  running: Promise<Result>,
  type: OperationTypeNode,
  limits: OperationLimits,
  execution: AbortController,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      execution.abort('the deadline has passed')
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

/** Returns the error for an operation that has missed its deadline. */
export function deadlineError(type: OperationTypeNode, limits: OperationLimits): GraphQLError {
  const seconds = secondsOf(type, limits)
  if (type === OperationTypeNode.MUTATION) {
    const message = `No result within ${seconds} seconds. The mutation may still be applied. Send it again with the same idempotencyKey to learn its outcome.`
    return requestError('OUTCOME_UNKNOWN', message)
  }
  return requestError('TIMEOUT', `No result within ${seconds} seconds. Select less at once.`)
}
