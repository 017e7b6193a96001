import type { ServerResponse } from 'node:http'
import { isJsonText, type JsonText } from '../../graphql/results/long-text.js'
import { resultText } from '../../graphql/results/result-text.js'
import type { MaskError } from '../pipeline/mask-error.js'
import type { ResultSink, ResultStream } from '../pipeline/operation-request.js'
import { requestError } from '../pipeline/request-error.js'
import { sendPieces } from './send-pieces.js'
import { framesIn, type StreamFormat } from './stream-formats.js'

const KEEP_ALIVE_MS = 12_000
const STOPPING = requestError('UNAVAILABLE', 'The gateway is stopping. Reconnect.')

/**
 * Sends results in a format of streams. The next results are written only after the socket has taken the previous ones,
 * so a client that stops reading costs one batch of memory.
 * @param results - A stream, or the JSON text of one result
 * @param stop - Aborts when the gateway stops
 */
export async function sendResults(
  response: ServerResponse,
  format: StreamFormat,
  results: ResultStream | JsonText,
  mask: MaskError,
  stop: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'content-type': format.contentType,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
  response.write(format.opening)
  const keepAlive = setInterval(() => {
    if (!response.writableNeedDrain) response.write(format.keepAlive)
  }, KEEP_ALIVE_MS)
  const stream = isJsonText(results) ? null : results
  const closed = () => void stream?.return?.()
  response.once('close', closed)
  stop.addEventListener('abort', closed, { once: true })
  try {
    if (isJsonText(results)) await sendResult(response, format, results)
    else await results.deliver(sinkOf(response, format))
  } catch (error) {
    if (!response.destroyed) response.write(format.failure(resultText([mask(error)])))
  } finally {
    clearInterval(keepAlive)
    response.off('close', closed)
    stop.removeEventListener('abort', closed)
    response.end(stop.aborted ? format.stopped(resultText([STOPPING])) : format.ending)
  }
}

async function sendResult(response: ServerResponse, { before, after }: StreamFormat, text: JsonText): Promise<void> {
  response.write(before)
  await sendPieces(response, text)
  response.write(after)
}

function sinkOf(response: ServerResponse, format: StreamFormat): ResultSink {
  const frames = framesIn(format)
  return {
    send(results, onSent) {
      if (!response.destroyed)
        response.write(results.frames(format.key, frames), (error) => {
          if (!error) onSent()
        })
    },
  }
}
