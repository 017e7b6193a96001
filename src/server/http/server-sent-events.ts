import type { ServerResponse } from 'node:http'
import { isJsonText, type JsonText } from '../../graphql/results/long-text.js'
import { resultText } from '../../graphql/results/result-text.js'
import type { MaskError } from '../pipeline/mask-error.js'
import type { ResultSink, ResultStream } from '../pipeline/operation-request.js'
import { sendPieces } from './send-pieces.js'

const KEEP_ALIVE_MS = 12_000

/**
 * Sends results as server-sent events, in the "distinct connections mode" of GraphQL over SSE. The next results are
 * written only after the socket has taken the previous ones, so a client that stops reading costs one batch of memory.
 * @param results - A stream, or the JSON text of one result
 * @param stop - Aborts when the gateway stops
 */
export async function sendServerSentEvents(
  response: ServerResponse,
  results: ResultStream | JsonText,
  mask: MaskError,
  stop: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
  // Browsers resolve `fetch` only when a part of the body has arrived.
  response.write(':\n\n')
  const keepAlive = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n')
  }, KEEP_ALIVE_MS)
  const stream = isJsonText(results) ? null : results
  const closed = () => void stream?.return?.()
  response.once('close', closed)
  // A stopping gateway sends no `complete`: the client sees the connection end and reconnects with its cursor.
  stop.addEventListener('abort', closed, { once: true })
  try {
    if (isJsonText(results)) await sendEvent(response, results)
    else await results.deliver(sinkOf(response))
  } catch (error) {
    if (!response.destroyed) response.write(eventsOf([Buffer.from(resultText({ errors: [mask(error)] }), 'utf8')]))
  } finally {
    clearInterval(keepAlive)
    response.off('close', closed)
    stop.removeEventListener('abort', closed)
    if (!stop.aborted) response.write('event: complete\ndata:\n\n')
    response.end()
  }
}

function sinkOf(response: ServerResponse): ResultSink {
  return {
    send(results, onSent) {
      if (!response.destroyed)
        response.write(results.frames('sse', eventsOf), (error) => {
          if (!error) onSent()
        })
    },
  }
}

const BEFORE = Buffer.from('event: next\ndata: ')
const AFTER = Buffer.from('\n\n')

async function sendEvent(response: ServerResponse, text: JsonText): Promise<void> {
  response.write(BEFORE)
  await sendPieces(response, text)
  response.write(AFTER)
}

function eventsOf(texts: readonly Buffer[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => [BEFORE, text, AFTER]))
}
