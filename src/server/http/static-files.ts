import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, relative } from 'node:path'
import send from 'send'
import { pause } from '../../registry/async/pause.js'
import { respondText } from './text-response.js'

/** How long a request waits for the playground to be built, which takes 5 to 10 seconds. */
const BUILD_MS = 60_000
const POLL_MS = 200

/** Vite puts a hash of the content into the names of assets. */
const IMMUTABLE = /^assets[\\/].*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/

type ServeFile = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>

/** Serves the files of a folder. The folder may appear later. */
export function createStaticFiles(folder: string): ServeFile {
  let isBuilt = false

  /** The first start builds the playground while the gateway serves, in `<folder>.new`, and renames it at the end. */
  async function waitUntilBuilt(): Promise<void> {
    const deadline = performance.now() + BUILD_MS
    while (!isBuilt) {
      isBuilt = existsSync(join(folder, 'index.html'))
      if (isBuilt || !existsSync(`${folder}.new`) || performance.now() > deadline) return
      await pause(POLL_MS)
    }
  }

  return async (request, response, path) => {
    await waitUntilBuilt()
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      if (path !== '/') return respondNotFound(response, path)
      response.setHeader('allow', 'GET, HEAD')
      return respondText(response, 405, 'Send GET or HEAD. The endpoint is /graphql.\n')
    }
    // `fetch` adds no-cache to conditional requests, and `send` would then ignore their If-None-Match.
    delete request.headers['cache-control']
    send(request, path, { root: folder, index: 'index.html', cacheControl: false })
      .on('headers', (_response: ServerResponse, file: string) => {
        response.setHeader('content-security-policy', contentSecurityPolicy(request.headers.host))
        const isImmutable = IMMUTABLE.test(relative(folder, file))
        response.setHeader('cache-control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      })
      .on('directory', () => respondNotFound(response, path))
      .on('error', ({ status, headers = {} }: SendError) => {
        if (response.headersSent) return void response.destroy()
        if (status !== 412 && status !== 416) return respondNotFound(response, path)
        for (const name in headers) response.setHeader(name, headers[name]!)
        respondText(response, status, status === 416 ? 'There is no such range.\n' : 'The precondition failed.\n')
      })
      .pipe(response)
  }
}

/** An error of `send`: a file that cannot be read, or an unmet condition of the request. */
interface SendError {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

function respondNotFound(response: ServerResponse, path: string): void {
  const what = path === '/' ? 'The playground has not been built.' : 'There is nothing here.'
  respondText(response, 404, `${what} The endpoint is /graphql.\n`)
}

/**
 * Allows nothing from other origins. The editor creates its workers from blobs and its styles at run time. Older Safari
 * versions do not count a WebSocket of the same host as 'self'.
 */
function contentSecurityPolicy(host: string | undefined): string {
  const socket = host !== undefined && /^[A-Za-z0-9.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : ''
  return [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src 'self'${socket}`,
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
