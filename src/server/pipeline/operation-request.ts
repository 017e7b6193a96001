import type { DocumentNode, ExecutionResult, OperationTypeNode } from 'graphql'
import type { ResultSink } from '../broadcast/shared-result.js'

/** An operation as a transport has read it. */
export interface OperationRequest {
  readonly query: string
  readonly operationName: string | null
  readonly variables: Readonly<Record<string, unknown>>
}

export interface Caller {
  readonly author: string | null
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

export interface ResultStream extends AsyncIterableIterator<ExecutionResult> {
  /**
   * Instead of asking for results: hands them to a sink, shared with all who follow the same, until the stream ends or
   * is returned. @throws GraphQLError
   */
  deliver(sink: ResultSink): Promise<void>
}

/** An operation that may run. */
export interface PreparedOperation {
  readonly document: DocumentNode
  readonly type: OperationTypeNode
  /** Runs it, once. Never throws; errors are in the result, masked. */
  start(): Promise<ExecutionResult | ResultStream>
}

export function isStream<Stream extends AsyncIterable<ExecutionResult>>(
  result: ExecutionResult | Stream,
): result is Stream {
  return Symbol.asyncIterator in result
}
