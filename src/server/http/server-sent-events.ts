import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { resultText } from '../../graphql/results/result-text.js'
import type { MaskError } from '../pipeline/mask-error.js'
import type { ResultSink, ResultStream } from '../pipeline/operation-request.js'

const KEEP_ALIVE_MS = 12_000
/** @bound Time after which an event stream that takes no byte is closed. Its client resumes by cursor. */
const STALLED_MS = 120_000

/**
 * Sends results as server-sent events, each operation on a connection of its own. What comes next is handed over
 * only when the socket has taken the last: a reader that stops costs what is under way to it, however much happens.
 */
export async function sendServerSentEvents(
  response: ServerResponse,
  results: ResultStream | ExecutionResult,
  mask: MaskError,
  stop: AbortSignal,
  stalledMs = STALLED_MS,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
  response.setTimeout(stalledMs, () => response.destroy())
  // Browsers hand a response on only when something of its body has come.
  response.write(':\n\n')
  const keepAlive = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n')
  }, KEEP_ALIVE_MS)
  const stream = Symbol.asyncIterator in results ? results : null
  const closed = () => void stream?.return?.()
  response.once('close', closed)
  // A gateway that stops says nothing more: the client sees the connection end and comes back with its cursor.
  stop.addEventListener('abort', closed, { once: true })
  try {
    if (stream === null) response.write(eventsOf([Buffer.from(resultText(results), 'utf8')]))
    else await stream.deliver(sinkOf(response))
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
    send(results, taken) {
      if (!response.destroyed)
        response.write(results.frames('sse', eventsOf), (error) => {
          if (!error) taken()
        })
    },
  }
}

const BEFORE = Buffer.from('event: next\ndata: ')
const AFTER = Buffer.from('\n\n')

function eventsOf(texts: readonly Buffer[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => [BEFORE, text, AFTER]))
}
