import { GraphQLError, OperationTypeNode } from 'graphql'
import type { OperationLimits } from './operation-limits.js'
import { requestError } from './request-error.js'

/** What is running, or after the type's deadline an error that says so; `ending` is aborted then. */
export async function withDeadline<Result>(
  running: Promise<Result>, type: OperationTypeNode, limits: OperationLimits, ending: AbortController,
): Promise<Result> {
  const seconds = type === OperationTypeNode.MUTATION ? limits.mutationSeconds : limits.querySeconds
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      ending.abort('the deadline has passed')
      reject(lateError(type, seconds))
    }, seconds * 1000)
  })
  try {
    return await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What is told instead of an answer that has not come. */
export function lateError(type: OperationTypeNode, seconds: number): GraphQLError {
  if (type === OperationTypeNode.MUTATION) {
    const message = `no answer within ${seconds} seconds: it may yet be applied; send it again with the same idempotencyKey to learn its outcome`
    return requestError('OUTCOME_UNKNOWN', message)
  }
  return requestError('TIMEOUT', `no answer within ${seconds} seconds; ask for less at once`)
}
