import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { resultText } from '../graphql/negative-zero.js'
import type { MaskError } from './mask-error.js'
import type { ResultStream } from './engine.js'

const KEEP_ALIVE_MS = 12_000
/** Who takes not one byte for that long is gone for all that anybody can tell; it resumes by its cursor. */
const STALLED_MS = 120_000

/**
 * Sends results as server-sent events, each operation on a connection of its own. The next result is asked
 * for only when the socket has taken the last: a reader that stops costs one event, however much happens.
 */
export async function sendEvents(
  response: ServerResponse, results: ResultStream | ExecutionResult, mask: MaskError, stop: AbortSignal, stalledMs = STALLED_MS,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no',
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
    if (stream === null) await writeEvent(response, results as ExecutionResult)
    else for await (const result of stream) await writeEvent(response, result)
  } catch (error) {
    await writeEvent(response, { errors: [mask(error)] })
  } finally {
    clearInterval(keepAlive)
    response.off('close', closed)
    stop.removeEventListener('abort', closed)
    if (!stop.aborted) response.write('event: complete\ndata:\n\n')
    response.end()
  }
}

function writeEvent(response: ServerResponse, result: ExecutionResult): Promise<void> | undefined {
  if (response.destroyed || response.write(`event: next\ndata: ${resultText(result)}\n\n`)) return undefined
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle)
      response.off('close', settle)
      resolve()
    }
    response.once('drain', settle)
    response.once('close', settle)
  })
}
