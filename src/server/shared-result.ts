import type { StreamPlace } from '../registry/stream-place.js'

/** A result of a subscription as every client that it is for is sent it. */
export interface SharedResult {
  /** Its JSON, in UTF-8. */
  readonly text: Buffer
  /** Where the stream stands after it; null where that is no place in the log. */
  readonly place: StreamPlace | null
  /** When it began to be worked out, by `performance.now()`. */
  readonly begun: number
  /** As it was last put on a wire, and for whom: clients often name their operations alike. */
  frame: { readonly key: string; readonly bytes: Buffer } | null
}

/** A client's connection, as one subscription sees it. */
export interface ResultSink {
  /** Sends results, in order. `taken` is called once the client's socket has taken them, never before this returns. */
  send(results: readonly SharedResult[], taken: () => void): void
}

/** The bytes of some results for one client: made once for all whose `key` is the same where it is a single one. */
export function framesOf(results: readonly SharedResult[], key: string, write: (texts: readonly Buffer[]) => Buffer): Buffer {
  if (results.length > 1) return write(results.map(({ text }) => text))
  const result = results[0]!
  if (result.frame?.key === key) return result.frame.bytes
  const bytes = write([result.text])
  result.frame = { key, bytes }
  return bytes
}
