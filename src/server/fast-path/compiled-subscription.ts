import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  getOperationAST,
  type OperationDefinitionNode,
  subscribe,
} from 'graphql'
import type { RequestContext } from '../../graphql/base/request-context.js'
import {
  type CompiledOperation,
  type CompiledResult,
  compileOperation,
} from '../../graphql/compiled/compile-operation.js'
import { markNegativeZeros } from '../../graphql/results/result-text.js'
import { SerializedResult } from '../../graphql/results/serialized-result.js'

/** Null where it is not compiled. As long as the document is kept. */
const writers = new WeakMap<OperationDefinitionNode, CompiledOperation | null>()

/** Subscribes as graphql-js does; each event's result is written as text at once, and no object made of it first. */
export async function compiledSubscription(
  args: ExecutionArgs,
): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
  const operation = getOperationAST(args.document, args.operationName)
  const write = operation && writerOf(args, operation)
  if (operation === null || operation === undefined || write === null || write === undefined) {
    return subscribe(args) as Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>
  }
  const source = await createSourceEventStream(args)
  if (!(Symbol.asyncIterator in source)) return source
  const events = source[Symbol.asyncIterator]()
  const results: AsyncIterableIterator<ExecutionResult> = {
    async next() {
      const event = await events.next()
      return event.done === true
        ? { done: true, value: undefined }
        : { done: false, value: await resultOf(args, operation, write, event.value) }
    },
    async return() {
      await events.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
  return results
}

function writerOf({ schema, document }: ExecutionArgs, operation: OperationDefinitionNode): CompiledOperation | null {
  let write = writers.get(operation)
  if (write === undefined) writers.set(operation, (write = compileOperation(schema, document, operation)))
  return write
}

async function resultOf(
  args: ExecutionArgs,
  operation: OperationDefinitionNode,
  write: CompiledOperation,
  event: unknown,
): Promise<ExecutionResult> {
  const written = await write(args.variableValues ?? {}, args.contextValue as RequestContext, event)
  if (written === 'too large') writers.set(operation, null)
  return written === null || written === 'too large' ? execute({ ...args, rootValue: event }) : told(written)
}

/** Errors are masked by who looks into results. */
function told({ data, errors }: CompiledResult): ExecutionResult {
  if (data === null) return { errors }
  return errors.length === 0
    ? new SerializedResult(data)
    : { errors, data: markNegativeZeros(JSON.parse(data), data) as NonNullable<ExecutionResult['data']> | null }
}
