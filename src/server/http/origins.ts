import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopback } from './hosts.js'

const THIS_MACHINE = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/
const HEADER_NAMES = /^[\w\-!#$%&'*+.^`|~, ]{1,2000}$/

/**
 * Makes the check whether a page may use the gateway: its own pages and those of configured origins may. So may pages
 * of other ports of this machine, for frontend development, as long as the gateway listens to this machine only.
 * Programs other than browsers send no origin. Without this check, any page that a developer opens could write.
 *
 * Some requests of pages have no origin, such as those of an image or a link. Those of other sites are refused too.
 */
export function allowedPages(
  listening: string,
  allowed: readonly string[],
): (request: Pick<IncomingMessage, 'headers'>) => boolean {
  const allowsAll = allowed.includes('*')
  const allowsThisMachine = isLoopback(listening)
  return ({ headers }) => {
    const { origin, host } = headers
    if (allowsAll) return true
    if (origin === undefined) return headers['sec-fetch-site'] !== 'cross-site'
    if (allowed.includes(origin) || origin === `http://${host}` || origin === `https://${host}`) return true
    return allowsThisMachine && THIS_MACHINE.test(origin)
  }
}

/** Adds the headers that let a browser show the response to the page. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers
  if (origin === undefined) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', 'etag')
  response.setHeader('vary', 'origin')
}

/**
 * Answers a browser's preflight request. An allowed page may send any header, because clients add their own, such as
 * `authorization`, `traceparent` and `apollographql-client-name`.
 */
export function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  const asked = request.headers['access-control-request-headers']
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': asked !== undefined && HEADER_NAMES.test(asked) ? asked : 'content-type',
    'access-control-max-age': '7200',
    vary: 'origin, access-control-request-headers',
  })
  response.end()
}
