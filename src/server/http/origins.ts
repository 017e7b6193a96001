import type { IncomingMessage, ServerResponse } from 'node:http'

const THIS_MACHINE = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/**
 * Whether a page may use the gateway: the gateway's own pages, pages of this machine (for frontend development) and
 * configured origins may. Programs other than browsers send no origin. Without this check, any page that a developer
 * opens could write.
 */
export function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin) || THIS_MACHINE.test(origin))
    return true
  return origin === `http://${host}` || origin === `https://${host}`
}

/** Adds the headers that let a browser show the response to the page. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers
  if (origin === undefined) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('vary', 'origin')
}

/** Answers a browser's preflight request. */
export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'content-type, x-cadastre-author',
    'access-control-max-age': '7200',
  })
  response.end()
}
