import { ClientError } from './client-error.js'
import type { Connection } from './client-options.js'
import type { StreamedResult } from './streamed-result.js'

/** The gateway sends a comment every 12 s. A connection that is silent for longer is half dead. */
const SILENCE_MS = 40_000

/** Subscribes by server-sent events, in the "distinct connections mode" of GraphQL over SSE. */
export async function* openEventStream(
  { url, headers }: Connection,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<StreamedResult> {
  const silence = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const heard = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(), SILENCE_MS)
  }
  heard()
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.any([signal, silence.signal]),
    })
    if (response.body === null || !(response.headers.get('content-type') ?? '').startsWith('text/event-stream'))
      throw new ClientError(`${url} does not answer with server-sent events.`, 'DISCONNECTED')
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of response.body) {
      heard()
      rest += decoder.decode(chunk as Uint8Array, { stream: true })
      const events = rest.split('\n\n')
      rest = events.pop()!
      for (const event of events) {
        if (event.startsWith('event: complete')) return
        if (event.startsWith('event: next\ndata: '))
          yield JSON.parse(event.slice('event: next\ndata: '.length)) as StreamedResult
      }
    }
    throw new ClientError(`The connection to ${url} ended.`, 'DISCONNECTED')
  } catch (cause) {
    if (signal.aborted) return
    throw cause instanceof ClientError
      ? cause
      : new ClientError(`The connection to ${url} broke.`, 'DISCONNECTED', { cause })
  } finally {
    clearTimeout(timer)
  }
}
