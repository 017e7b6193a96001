import { setMaxListeners } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { GraphQLSchema } from 'graphql'
import { schema } from '../graphql/schema.js'
import type { ProviderDirectory } from '../registry/plugins/provider-directory.js'
import type { Registry } from '../registry/registry.js'
import type { Sources } from '../sources/running/sources.js'
import { ConditionalGets } from './caching/conditional-get.js'
import { Compressor } from './compression/compressor.js'
import type { GatewayConfig } from './config/config.js'
import { ConnectionGuard } from './connections/connection-guard.js'
import { CONNECTION_LIMITS, type ConnectionLimits } from './connections/connection-limits.js'
import type { DocumentManifest } from './documents/document-manifest.js'
import { RequestDocuments } from './documents/request-documents.js'
import { createEngine, createLoad } from './engine/engine.js'
import type { FederatedSchemas } from './engine/subgraph.js'
import { createStaticFiles } from './files/static-files.js'
import { BodyReader } from './http/body-reader.js'
import { createHttpServer, GRAPHQL_PATH, SUBGRAPH_PATH } from './http/create-http-server.js'
import { answerGraphQL, type GraphQLOverHttp } from './http/graphql-over-http.js'
import { SUPERGRAPH_FOLDER, serveSupergraphs } from './http/serve-supergraphs.js'
import { respondText } from './http/text-response.js'
import { requestBounds } from './json/json-bounds.js'
import { type Health, liveness, readiness } from './observing/health.js'
import type { Log } from './observing/log.js'
import { createMetrics } from './observing/metrics.js'
import type { OperationLimits } from './pipeline/operation-limits.js'
import { SOCKET_LIMITS, type SocketLimits } from './websocket/socket-limits.js'
import { createWebSockets } from './websocket/websockets.js'

export interface AppOptions {
  readonly config: Pick<
    GatewayConfig,
    'limits' | 'documents' | 'introspection' | 'host' | 'publicUrls' | 'allowedOrigins' | 'optimizations' | 'compose'
  >
  readonly registry: Registry
  readonly providers?: ProviderDirectory
  readonly sources?: Sources
  readonly log: Log
  /** Identifies the patterns of dependencies. */
  readonly referencesFingerprint?: string
  /** None if the gateway is no subgraph. */
  readonly federated?: FederatedSchemas | null
  /** Folder of the built playground. */
  readonly playgroundDir?: string
  /** None if clients name documents by their text or hash alone. */
  readonly manifest?: DocumentManifest | null
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
  const { config, registry, federated, log } = options
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
  const bodies = new BodyReader(messageBytes, guard)
  const manifest = options.manifest ?? null
  const documents = new RequestDocuments(manifest, config.documents?.only === true)
  const compressor = new Compressor()
  const load = createLoad()

  /** Serves a schema over HTTP and WebSockets. */
  function endpoint(served: GraphQLSchema) {
    const engine = createEngine({
      schema: served,
      registry,
      log,
      metrics,
      introspection: config.introspection,
      optimizations: config.optimizations,
      load,
      ...(options.providers && { providers: options.providers }),
      ...(options.sources && { sources: options.sources }),
      ...(options.operationLimits && { limits: options.operationLimits }),
    })
    const { validated } = engine
    manifest?.onChange(() => engine.forgetAnswers())
    const fingerprint = options.referencesFingerprint ?? ''
    const conditionalGets = new ConditionalGets({ schema: served, registry, fingerprint, validated })
    const graphql: GraphQLOverHttp = {
      engine,
      bodies,
      bounds,
      documents,
      conditionalGets,
      compressor,
      stopping: stopping.signal,
    }
    const webSockets = createWebSockets(engine, documents, metrics, guard, socketLimits, stopping.signal)
    return {
      engine,
      webSockets,
      answer: (request: IncomingMessage, response: ServerResponse, search: URLSearchParams) =>
        answerGraphQL(graphql, request, response, search),
      upgrade: webSockets.upgrade,
    }
  }

  const endpoints = {
    [GRAPHQL_PATH]: endpoint(federated?.graphql ?? schema),
    ...(federated && { [SUBGRAPH_PATH]: endpoint(federated.subgraph) }),
  }
  const all = Object.values(endpoints)
  const files = createStaticFiles(options.playgroundDir ?? fileURLToPath(new URL('../playground', import.meta.url)))

  const server = createHttpServer({
    endpoints,
    routes: {
      '/healthz': (_request, response) => respondHealth(response, liveness()),
      '/readyz': async (_request, response) =>
        respondHealth(response, await readiness(registry.history, stopping.signal)),
      '/metrics': async (_request, response) => respondText(response, 200, await metrics.text(), metrics.contentType),
    },
    folders: { [SUPERGRAPH_FOLDER]: serveSupergraphs(registry, config.compose) },
    files: (request, response, { pathname }) => files(request, response, pathname),
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
      await Promise.all(all.map(({ engine }) => engine.idle(graceMs)))
      await Promise.all(all.map(({ webSockets }) => webSockets.close()))
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
