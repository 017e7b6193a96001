import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  getOperationAST,
  type OperationDefinitionNode,
  subscribe,
} from 'graphql'
import { type RequestContext, spreadOver } from '../../graphql/base/request-context.js'
import {
  type CompiledOperation,
  type CompiledResult,
  compileOperation,
} from '../../graphql/compiled/compile-operation.js'
import type { HeavyWork } from '../../graphql/loading/heavy-work.js'
import { wholeText } from '../../graphql/results/long-text.js'
import { markNegativeZeros } from '../../graphql/results/result-text.js'
import { SerializedResult } from '../../graphql/results/serialized-result.js'

/** Null if the operation is not compiled. Entries live as long as their documents. */
const compiledOperations = new WeakMap<OperationDefinitionNode, CompiledOperation | null>()

/** Executes the operation for one event, in its turn. */
export type ExecuteInTurn = (execute: (heavy: HeavyWork) => Promise<ExecutionResult>) => Promise<ExecutionResult>

/**
 * Subscribes like graphql-js, but serializes each result directly, without building an object first.
 * @param inTurn - Runs the execution for each event; null if the operation is light
 */
export async function compiledSubscription(
  args: ExecutionArgs,
  inTurn: ExecuteInTurn | null = null,
): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
  const operation = getOperationAST(args.document, args.operationName)
  const compiled = operation && compiledOperation(args, operation)
  if (operation === null || operation === undefined || (!compiled && inTurn === null)) {
    return subscribe(args) as Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>
  }
  const source = await createSourceEventStream(args)
  if (!(Symbol.asyncIterator in source)) return source
  const events = source[Symbol.asyncIterator]()
  const executed = (event: unknown): Promise<ExecutionResult> =>
    inTurn === null
      ? resultOf(args, operation, compiled, event)
      : inTurn((heavy) =>
          resultOf(
            { ...args, contextValue: spreadOver(args.contextValue as RequestContext, heavy) },
            operation,
            compiled,
            event,
          ),
        )
  const results: AsyncIterableIterator<ExecutionResult> = {
    async next() {
      const event = await events.next()
      return event.done === true
        ? { done: true, value: undefined }
        : { done: false, value: await executed(event.value) }
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

function compiledOperation(
  { schema, document }: ExecutionArgs,
  operation: OperationDefinitionNode,
): CompiledOperation | null {
  let compiled = compiledOperations.get(operation)
  if (compiled === undefined)
    compiledOperations.set(operation, (compiled = compileOperation(schema, document, operation)))
  return compiled
}

async function resultOf(
  args: ExecutionArgs,
  operation: OperationDefinitionNode,
  compiled: CompiledOperation | null | undefined,
  event: unknown,
): Promise<ExecutionResult> {
  if (!compiled) return execute({ ...args, rootValue: event })
  const result = await compiled(args.variableValues ?? {}, args.contextValue as RequestContext, event)
  if (result === 'too large') compiledOperations.set(operation, null)
  if (result === null || result === 'too large') return execute({ ...args, rootValue: event })
  const error = (args.contextValue as RequestContext).answerSize.errorOf(result.data ?? '')
  return executionResult(error === undefined ? result : { data: 'null', errors: [error] })
}

/** Leaves errors unmasked. Yoga masks them in each result. */
function executionResult({ data: written, errors }: CompiledResult): ExecutionResult {
  if (written === null) return { errors }
  const data = wholeText(written)
  return errors.length === 0
    ? new SerializedResult(data)
    : { errors, data: markNegativeZeros(JSON.parse(data), data) as NonNullable<ExecutionResult['data']> | null }
}
