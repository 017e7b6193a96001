import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { respondText } from './health.js'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.ttf': 'font/ttf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
}

interface StaticFile {
  readonly path: string
  readonly size: number
  readonly etag: string
  readonly contentType: string
  /** Its name holds its content's hash. */
  readonly immutable: boolean
}

/** How long a reader waits for a page that is being built: it takes 5 to 10 seconds. */
const BUILD_MS = 60_000
const LOOK_AGAIN_MS = 200

type ServeFile = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>

/** Serves the files that are in a folder once it is there, and nothing else: no path a client sends reaches the disk. */
export function createStaticFiles(folder: string): ServeFile {
  let files: ReadonlyMap<string, StaticFile> = new Map()

  /** A first start builds the page while the gateway serves already, in `<folder>.new`, and renames it when it is whole. */
  async function builtFiles(): Promise<ReadonlyMap<string, StaticFile>> {
    const deadline = performance.now() + BUILD_MS
    while (files.size === 0) {
      files = listFiles(folder)
      if (files.size > 0 || !existsSync(`${folder}.new`) || performance.now() > deadline) break
      await sleep(LOOK_AGAIN_MS, undefined, { ref: false })
    }
    return files
  }

  return async (request, response, path) => {
    const file = (await builtFiles()).get(path === '/' ? '/index.html' : path)
    if (file === undefined) {
      const message =
        path === '/'
          ? 'The playground has not been built; the endpoint is at /graphql.\n'
          : 'There is nothing here; the endpoint is at /graphql.\n'
      return respondText(response, 404, message)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return respondText(response, 405, 'This can only be read.\n')
    }
    response.setHeader('content-security-policy', contentSecurityPolicy(request.headers.host))
    response.setHeader('etag', file.etag)
    response.setHeader('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    if (
      request.headers['if-none-match']?.split(',').some((etag) => etag.trim().replace(/^W\//, '') === file.etag) ===
      true
    ) {
      response.writeHead(304).end()
      return
    }
    response.writeHead(200, { 'content-type': file.contentType, 'content-length': file.size })
    if (request.method === 'HEAD') return void response.end()
    pipeline(createReadStream(file.path), response, () => undefined)
  }
}

/**
 * Nothing from anywhere else. The editor makes its workers from blobs and writes styles as it goes; older
 * Safaris do not count a WebSocket of the same host as 'self'.
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

function listFiles(folder: string): ReadonlyMap<string, StaticFile> {
  return new Map(
    namesIn(folder).map((name) => {
      const path = join(folder, name)
      const { size, mtimeMs } = statSync(path)
      return [
        `/${name.split(sep).join('/')}`,
        {
          path,
          size,
          etag: `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`,
          contentType: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
          immutable: /[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/.test(name) && name.startsWith(`assets${sep}`),
        },
      ]
    }),
  )
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
