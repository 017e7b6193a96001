import type { StreamPosition } from '../../registry/following/stream-position.js'
import type { ResultBatch } from './result-batch.js'

/** A result of a subscription as every client that it is for is sent it. */
export interface SharedResult {
  /** Its JSON, in UTF-8. */
  readonly text: Buffer
  /** Where the stream stands after it; null where that is no place in the log. */
  readonly place: StreamPosition | null
  /** When it began to be worked out, by `performance.now()`. */
  readonly begun: number
  /** Who is handed what came before it is not handed it at once with that. */
  readonly isCut: boolean
  /** What was last handed to a client beginning with it. */
  stretch: ResultBatch | null
}

/** A client's connection, as one subscription sees it. */
export interface ResultSink {
  /** Sends results, in order. `taken` is called once the client's socket has taken them, never before this returns. */
  send(results: ResultBatch, taken: () => void): void
}
