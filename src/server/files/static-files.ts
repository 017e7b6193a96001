import { existsSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, relative } from 'node:path'
import send from 'send'
import { respondText } from '../http/text-response.js'
import { acceptedForm, formsOf } from './precompressed.js'
import { respondPreparing } from './preparing-page.js'

/**
 * @bound Time since its last file for which a missing playground counts as being built. A build that was killed leaves its
 * folder.
 */
const BUILD_MS = 600_000

/** Vite puts a hash of the content into the names of assets. */
const IMMUTABLE = /^assets[\\/].*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/

/** Types of the files that the build compresses. `send` would take the type of a compressed form from its suffix. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
}

type ServeFile = (request: IncomingMessage, response: ServerResponse, path: string) => void

/** Serves the files of a folder. The folder may appear later: the first start builds it while the gateway serves. */
export function createStaticFiles(folder: string): ServeFile {
  /** The build writes to `<folder>.new` and renames it at the end. */
  function isBeingBuilt(): boolean {
    if (existsSync(join(folder, 'index.html'))) return false
    const build = statSync(`${folder}.new`, { throwIfNoEntry: false })
    return build !== undefined && Date.now() - build.mtimeMs < BUILD_MS
  }

  return (request, response, path) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      if (path !== '/') return respondNotFound(response, path)
      response.setHeader('allow', 'GET, HEAD')
      return respondText(response, 405, 'Send GET or HEAD. The endpoint is /graphql.\n')
    }
    if (path === '/' && isBeingBuilt()) return respondPreparing(request, response)
    // `fetch` adds no-cache to conditional requests, and `send` would then ignore their If-None-Match.
    delete request.headers['cache-control']
    const file = path === '/' ? '/index.html' : path
    const type = TYPES[extname(file)]
    const forms = type === undefined ? [] : formsOf(folder, file)
    const form = acceptedForm(forms, request.headers['accept-encoding'])
    send(request, file + (form?.suffix ?? ''), { root: folder, index: false, cacheControl: false })
      .on('headers', (_response: ServerResponse, sent: string) => {
        response.setHeader('content-security-policy', contentSecurityPolicy(request.headers.host))
        const name = relative(folder, sent)
        const isImmutable = IMMUTABLE.test(form === undefined ? name : name.slice(0, -form.suffix.length))
        response.setHeader('cache-control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
        if (forms.length > 0) response.setHeader('vary', 'accept-encoding')
        if (form === undefined) return
        response.setHeader('content-encoding', form.encoding)
        response.setHeader('content-type', type!)
      })
      .on('directory', () => respondNotFound(response, path))
      .on('error', ({ status, headers = {} }: SendError) => {
        if (response.headersSent) return void response.destroy()
        if (status !== 412 && status !== 416) return respondNotFound(response, path)
        response.removeHeader('content-encoding')
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
