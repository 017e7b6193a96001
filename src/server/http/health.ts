import type { ServerResponse } from 'node:http'
import type { History } from '../../store/contract/history.js'

/** The process lives. */
export function answerHealth(response: ServerResponse): void {
  respondText(response, 200, 'alive\n')
}

/** It can serve: the store answers and the gateway is not stopping. */
export async function answerReady(response: ServerResponse, history: History, stopping: AbortSignal): Promise<void> {
  if (stopping.aborted) return respondText(response, 503, 'stopping\n')
  const ready = await history.isReady()
  respondText(response, ready ? 200 : 503, ready ? 'ready\n' : 'the store does not answer\n')
}

export function respondText(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  const body = Buffer.from(text, 'utf8')
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
  })
  response.end(body)
}
