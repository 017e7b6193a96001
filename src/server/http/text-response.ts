import type { ServerResponse } from 'node:http'

/** Sends a short text that is not cached. */
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
