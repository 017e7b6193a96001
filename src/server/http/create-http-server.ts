import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionGuard } from '../connections/connection-guard.js'
import type { ConnectionLimits } from '../connections/connection-limits.js'
import type { Log } from '../observing/log.js'
import { knownHosts } from './hosts.js'
import { answerWithoutUpgrade } from './ignored-upgrade.js'
import { allowedPages, allowOrigin, answerPreflight } from './origins.js'
import { Pipelining } from './pipelining.js'
import { respondText } from './text-response.js'

export type RouteHandler = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>
export type GraphQLHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  search: URLSearchParams,
) => void | Promise<void>

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Serves a schema at a path. */
export interface GraphQLEndpoint {
  readonly answer: GraphQLHandler
  readonly upgrade: UpgradeHandler
}

export interface HttpOptions {
  /** By path. `/graphql` is always one. */
  readonly endpoints: Readonly<Record<string, GraphQLEndpoint>>
  /** By path. */
  readonly routes: Readonly<Record<string, RouteHandler>>
  /** By the beginning of the path. */
  readonly folders: Readonly<Record<string, RouteHandler>>
  /** Paths that any host name reaches, for checks of a platform that knows only an address. */
  readonly anyHost: ReadonlySet<string>
  /** Answers all other paths. */
  readonly files: RouteHandler
  /** The host that the gateway listens on. */
  readonly host: string
  /** The URLs that clients know the gateway by. */
  readonly publicUrls: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly maxSockets: number
  readonly guard: ConnectionGuard
  readonly connectionLimits: ConnectionLimits
  readonly stopping: AbortSignal
  readonly log: Log
}

export const GRAPHQL_PATH = '/graphql'
export const SUBGRAPH_PATH = '/subgraph'

/** Creates the server for everything on one port. */
export function createHttpServer(options: HttpOptions): Server {
  const { endpoints, routes, files, guard, connectionLimits, log } = options
  const graphql = endpoints[GRAPHQL_PATH]!
  const isKnownHost = knownHosts(options.host, options.publicUrls)
  const isAllowedPage = allowedPages(options.host, options.allowedOrigins)
  const server = createServer({
    headersTimeout: connectionLimits.headersMs,
    requestTimeout: connectionLimits.bodyMs,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: Math.min(5_000, connectionLimits.checkMs),
  })
  const pipelining = new Pipelining(connectionLimits.unanswered)
  server.on('connection', (socket) => guard.add(socket))

  function receive(request: IncomingMessage, response: ServerResponse): void {
    // A response without a socket waits for those of earlier requests.
    if (response.socket === null) pipelining.run(request, response, () => handle(request, response))
    else handle(request, response)
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', isGone)
    if (options.stopping.aborted) response.setHeader('connection', 'close')
    try {
      answer(request, response)?.catch((error: unknown) => failed(request, response, error))
    } catch (error) {
      failed(request, response, error)
    }
  }
  server.on('request', receive)
  // The client asks whether it may send the body. Only the reader of bodies tells it to, so that a body that is
  // announced to be too large is never sent.
  server.on('checkContinue', receive)

  function failed(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    log.error({ err: error, url: request.url }, 'a request failed unexpectedly')
    if (response.headersSent) response.destroy()
    else respondText(response.setHeader('x-content-type-options', 'nosniff'), 500, 'Unexpected error\n')
  }

  function answer(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    const plain = searchOf(request.url ?? '')
    // GraphQL responses set this header themselves, because setting it here makes every one of them slower.
    if (plain === undefined || request.headers.origin !== undefined)
      response.setHeader('x-content-type-options', 'nosniff')
    if (!isKnownHost(request.headers.host) && !options.anyHost.has(urlOf(request)?.pathname ?? ''))
      return respondText(response, 421, unknownHost(request.headers.host!))
    if (plain !== undefined) return answerGraphQL(graphql, request, response, plain)
    const url = urlOf(request)
    if (url === undefined) return respondText(response, 400, 'The path is not a valid URL.\n')
    const endpoint = endpointAt(url.pathname)
    if (endpoint === undefined) return (routes[url.pathname] ?? folderOf(url) ?? files)(request, response, url)
    return answerGraphQL(endpoint, request, response, url.searchParams)
  }

  function folderOf({ pathname }: URL): RouteHandler | undefined {
    return Object.entries(options.folders).find(([folder]) => pathname.startsWith(folder))?.[1]
  }

  function endpointAt(path: string | undefined): GraphQLEndpoint | undefined {
    return path !== undefined && Object.hasOwn(endpoints, path) ? endpoints[path] : undefined
  }

  function answerGraphQL(
    endpoint: GraphQLEndpoint,
    request: IncomingMessage,
    response: ServerResponse,
    search: URLSearchParams,
  ): void | Promise<void> {
    if (!isAllowedPage(request)) {
      return respondText(
        response,
        403,
        `Pages of ${request.headers.origin ?? 'other sites'} may not use this gateway. Add the origin to CADASTRE_ALLOWED_ORIGINS.\n`,
      )
    }
    allowOrigin(request, response)
    if (request.method === 'OPTIONS') return answerPreflight(request, response)
    return endpoint.answer(request, response, search)
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    if (!asksForWebSocket(request)) return answerWithoutUpgrade(server, request, socket, head)
    if (!isKnownHost(request.headers.host)) return refuse(socket, '421 Misdirected Request')
    const endpoint = endpointAt(urlOf(request)?.pathname)
    if (endpoint === undefined) return refuse(socket, '404 Not Found')
    if (!isAllowedPage(request)) return refuse(socket, '403 Forbidden')
    if (options.stopping.aborted) return refuse(socket, '503 Service Unavailable')
    endpoint.upgrade(request, socket, head)
  })

  // The request is not HTTP, or its headers are too large or too slow.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) return void socket.destroy()
    const connection = guard.of(socket as Socket)
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && connection.isReceiving) return connection.refuse('slow')
    const [status, message] = CLIENT_ERRORS[error.code ?? ''] ?? NOT_HTTP
    refuse(socket, status, message)
  })
  server.maxConnections = options.maxSockets
  return server
}

const NOT_HTTP = ['400 Bad Request', 'The request is not valid HTTP/1.1.\n'] as const
const CLIENT_ERRORS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'The headers are too long. Send a long query by POST.\n',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time. Send it without pauses.\n'],
}

/** Whether a part of a response has been sent, after which another one would be read as its rest. */
function isAnswering(socket: Duplex): boolean {
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null }
  return response?.headersSent === true
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/** A client that disconnects during its response is not an error of the gateway. */
function isGone(): void {}

const NO_SEARCH = new URLSearchParams()

/** Returns the query of a plain GraphQL path, which most requests have. Returns undefined if the path needs a real URL parser. */
function searchOf(path: string): URLSearchParams | undefined {
  if (path === GRAPHQL_PATH) return NO_SEARCH
  return path.startsWith(`${GRAPHQL_PATH}?`) && !path.includes('#')
    ? new URLSearchParams(path.slice(GRAPHQL_PATH.length + 1))
    : undefined
}

function urlOf(request: IncomingMessage): URL | undefined {
  const path = request.url ?? ''
  // Accepts only a path, because the client's Host header must not decide anything, and `//evil` must not become a
  // host.
  return path.startsWith('/') && URL.canParse(`http://gateway${path}`) ? new URL(`http://gateway${path}`) : undefined
}

function unknownHost(host: string): string {
  return `This gateway is not called "${host.slice(0, 255)}". Send its address, or add its URL to CADASTRE_PUBLIC_URL.\n`
}

/** Answers below Node's HTTP, and ends the connection. The guard closes it if its client does not. */
function refuse(socket: Duplex, status: string, message = ''): void {
  const type = message === '' ? '' : 'content-type: text/plain; charset=utf-8\r\n'
  const length = Buffer.byteLength(message)
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n${type}content-length: ${length}\r\n\r\n${message}`)
}
