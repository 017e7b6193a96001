import { createClient as createSocketClient } from 'graphql-ws'
import { ClientError } from './client-error.js'
import type { Connection } from './client-options.js'
import { openEventStream } from './event-stream.js'
import type { StreamedResult } from './streamed-result.js'

/**
 * Subscribes once, without reconnecting. Ends when the gateway completes the subscription, or the signal aborts.
 * @throws ClientError DISCONNECTED if the connection breaks
 */
export function openStream(
  connection: Connection,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): AsyncIterable<StreamedResult> {
  return connection.webSocketImpl === null
    ? openEventStream(connection, query, variables, signal)
    : overWebSocket(connection, query, variables, signal)
}

async function* overWebSocket(
  { url, headers, webSocketImpl }: Connection,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<StreamedResult> {
  const socket = createSocketClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl,
    // A browser cannot send headers with a WebSocket.
    connectionParams: headers,
    retryAttempts: 0,
    // Finds a connection that is half dead.
    keepAlive: 10_000,
  })
  const results = socket.iterate({ query, variables })
  const end = () => void results.return?.()
  signal.addEventListener('abort', end, { once: true })
  try {
    if (!signal.aborted) yield* results as AsyncIterable<StreamedResult>
  } catch (cause) {
    if (signal.aborted) return
    if (Array.isArray(cause)) yield { errors: cause }
    else throw new ClientError(`The connection to ${url} broke.`, 'DISCONNECTED', { cause })
  } finally {
    signal.removeEventListener('abort', end)
    await socket.dispose()
  }
}
