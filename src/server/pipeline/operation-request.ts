import type { DocumentNode, ExecutionResult, OperationTypeNode } from 'graphql'
import type { QueuedClient } from './queued-client.js'

/** A GraphQL request as a transport has parsed it. */
export interface OperationRequest {
  readonly query: string
  readonly operationName: string | null
  readonly variables: Readonly<Record<string, unknown>>
}

export interface Caller {
  readonly author: string | null
  /** Aborts when the answer is no longer awaited. */
  readonly signal: AbortSignal
  /** Called only for heavy operations, which clients share fairly. */
  client(): QueuedClient
}

/** Consecutive results of a subscription, each with its JSON in UTF-8. */
export interface DeliveredResults extends Iterable<{ readonly text: Buffer }> {
  /** Returns the results in a wire format. Recipients with the same `key` may share the bytes. */
  frames(key: string, write: (texts: readonly Buffer[]) => Buffer): Buffer
}

/** A client's connection, as one subscription sees it. */
export interface ResultSink {
  /** Sends results. Calls `onSent` once the client's socket has accepted them, never before it returns. */
  send(results: DeliveredResults, onSent: () => void): void
}

export interface ResultStream extends AsyncIterableIterator<ExecutionResult> {
  /**
   * Delivers the results to a sink until the stream ends or is returned. Equal subscriptions share the work. Replaces
   * iterating.
   * @throws GraphQLError
   */
  deliver(sink: ResultSink): Promise<void>
}

/** A validated operation. */
export interface PreparedOperation {
  readonly document: DocumentNode
  readonly type: OperationTypeNode
  /** Executes the operation. To be called once. Never rejects: the result holds the errors, masked. */
  start(): Promise<ExecutionResult | ResultStream>
}

export function isStream<Stream extends AsyncIterable<ExecutionResult>>(
  result: ExecutionResult | Stream,
): result is Stream {
  return Symbol.asyncIterator in result
}
