import { setMaxListeners } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { schema } from '../graphql/schema.js'
import type { ProviderDirectory } from '../registry/plugins/provider-directory.js'
import type { Registry } from '../registry/registry.js'
import type { Sources } from '../sources/running/sources.js'
import type { GatewayConfig } from './config/config.js'
import { ConnectionGuard } from './connections/connection-guard.js'
import { CONNECTION_LIMITS, type ConnectionLimits } from './connections/connection-limits.js'
import { createEngine } from './engine/engine.js'
import { BodyReader } from './http/body-reader.js'
import { createHttpServer } from './http/create-http-server.js'
import { answerGraphQL } from './http/graphql-over-http.js'
import { createStaticFiles } from './http/static-files.js'
import { respondText } from './http/text-response.js'
import { requestBounds } from './json/json-bounds.js'
import { type Health, liveness, readiness } from './observing/health.js'
import type { Log } from './observing/log.js'
import { createMetrics } from './observing/metrics.js'
import type { OperationLimits } from './pipeline/operation-limits.js'
import { PersistedQueries } from './pipeline/persisted-queries.js'
import { SOCKET_LIMITS, type SocketLimits } from './websocket/socket-limits.js'
import { createWebSockets } from './websocket/websockets.js'

export interface AppOptions {
  readonly config: Pick<
    GatewayConfig,
    'limits' | 'introspection' | 'host' | 'publicUrls' | 'allowedOrigins' | 'optimizations'
  >
  readonly registry: Registry
  readonly providers?: ProviderDirectory
  readonly sources?: Sources
  readonly log: Log
  /** Folder of the built playground. */
  readonly playgroundDir?: string
  readonly operationLimits?: OperationLimits
  readonly socketLimits?: Partial<SocketLimits>
  readonly connectionLimits?: Partial<ConnectionLimits>
}

export interface App {
  readonly server: Server
  /** Accepts no new requests, lets operations finish for `graceMs`, then closes all connections. */
  stop(graceMs?: number): Promise<void>
}

const MIB = 1024 * 1024
/** Bodies of the longest size that may be incomplete at the same time. */
const LONGEST_BODIES = 4

/** Connects everything that serves requests to a registry. */
export function createApp(options: AppOptions): App {
  const { config, registry, log } = options
  const stopping = new AbortController()
  // One listener for each event stream.
  setMaxListeners(0, stopping.signal)
  // JSON may write one byte of content as several, and a request holds more than contents.
  const messageBytes = 2 * config.limits.changesetBytes + MIB
  const bounds = requestBounds(config.limits.changesetOperations)
  const connectionLimits = { ...CONNECTION_LIMITS, ...options.connectionLimits }
  const guard = new ConnectionGuard(connectionLimits, LONGEST_BODIES * messageBytes)
  const socketLimits = { ...SOCKET_LIMITS, messageBytes, bounds, ...options.socketLimits }

  const metrics = createMetrics(registry)
  const engine = createEngine({
    schema,
    registry,
    log,
    metrics,
    introspection: config.introspection,
    optimizations: config.optimizations,
    ...(options.providers && { providers: options.providers }),
    ...(options.sources && { sources: options.sources }),
    ...(options.operationLimits && { limits: options.operationLimits }),
  })
  const persistedQueries = new PersistedQueries()
  const graphql = {
    engine,
    bodies: new BodyReader(messageBytes, guard),
    bounds,
    persistedQueries,
    stopping: stopping.signal,
  }
  const webSockets = createWebSockets(engine, persistedQueries, metrics, guard, socketLimits, stopping.signal)
  const files = createStaticFiles(options.playgroundDir ?? fileURLToPath(new URL('../playground', import.meta.url)))

  const server = createHttpServer({
    graphql: (request, response, search) => answerGraphQL(graphql, request, response, search),
    routes: {
      '/healthz': (_request, response) => respondHealth(response, liveness()),
      '/readyz': async (_request, response) =>
        respondHealth(response, await readiness(registry.history, stopping.signal)),
      '/metrics': async (_request, response) => respondText(response, 200, await metrics.text(), metrics.contentType),
    },
    files: (request, response, { pathname }) => files(request, response, pathname),
    upgrade: (request, socket, head) => webSockets.upgrade(request, socket, head),
    anyHost: new Set(['/healthz', '/readyz']),
    host: config.host,
    publicUrls: config.publicUrls,
    allowedOrigins: config.allowedOrigins,
    maxSockets: socketLimits.sockets,
    guard,
    connectionLimits,
    stopping: stopping.signal,
    log,
  })

  return {
    server,
    async stop(graceMs = 5_000) {
      stopping.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // A kept-alive connection becomes idle only after its response.
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      server.closeIdleConnections()
      await engine.idle(graceMs)
      await webSockets.close()
      const cut = setTimeout(() => server.closeAllConnections(), 500)
      await closed
      guard.stop()
      clearTimeout(cut)
      clearInterval(idle)
    },
  }
}

function respondHealth(response: ServerResponse, { isHealthy, text }: Health): void {
  respondText(response, isHealthy ? 200 : 503, text)
}
