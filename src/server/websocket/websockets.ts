import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { GraphQLError } from 'graphql'
import { GraphQLSchema, parse } from 'graphql'
import { type Context, handleProtocols, makeServer } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { parseExactJson } from '../../core/entry/exact-json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { restoreNegativeZeros } from '../../graphql/results/result-text.js'
import { pause } from '../../registry/async/pause.js'
import type { ConnectionGuard } from '../connections/connection-guard.js'
import type { RequestDocuments } from '../documents/request-documents.js'
import type { Engine } from '../engine/engine.js'
import { type ScannedJson, scanJson } from '../json/scan-json.js'
import type { Metrics } from '../observing/metrics.js'
import { authorHeader, parseAuthor } from '../pipeline/author.js'
import { requestError } from '../pipeline/request-error.js'
import { SocketConnection } from './socket-connection.js'
import { CLOSE, type SocketLimits } from './socket-limits.js'
import { SocketOperations } from './socket-operations.js'
import { SocketReply } from './socket-reply.js'

/** State that graphql-ws passes to its handlers. */
interface SocketContext {
  readonly connection: SocketConnection
  /** Null after `connection_init`. */
  request: IncomingMessage | null
  operations(): SocketOperations | null
}

export interface WebSockets {
  /** Accepts a connection from the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes all sockets with a code that makes clients reconnect. Terminates those that do not respond. */
  close(): Promise<void>
}

/** graphql-ws requires these, but the engine parses and executes the operation itself. */
const UNUSED = { schema: new GraphQLSchema({}), document: parse('{ __typename }') }

/** Serves graphql-transport-ws by the same engine as HTTP. */
export function createWebSockets(
  engine: Engine,
  documents: RequestDocuments,
  metrics: Metrics,
  guard: ConnectionGuard,
  limits: SocketLimits,
  stopping: AbortSignal,
): WebSockets {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.messageBytes,
    handleProtocols,
  })
  const connections = new Set<SocketConnection>()

  const protocol = makeServer<Record<string, unknown>, SocketContext>({
    // SocketConnection has its own timeout, because this one ignores messages that arrived while the thread was busy.
    connectionInitWaitTimeout: 0,
    onConnect({ connectionParams, extra }) {
      const author = connectionParams?.['author'] ?? (extra.request === null ? undefined : authorHeader(extra.request))
      extra.connection.author = parseAuthor(author, '`author` in connection_init')
      extra.request = null
      extra.connection.acknowledge()
      return true
    },
    async onSubscribe({ extra }: Context<Record<string, unknown>, SocketContext>, id, payload) {
      if (stopping.aborted) return [requestError('UNAVAILABLE', 'The gateway is stopping. Reconnect.')]
      const { open = 0, ending = 0 } = extra.operations() ?? {}
      if (open >= limits.operations || ending >= limits.endingOperations) {
        const message = `This socket has ${limits.operations} operations in flight. Complete some, or open another socket.`
        return [requestError('UNAVAILABLE', message)]
      }
      const { connection } = extra
      const { operationName, variables } = payload
      let query = payload.query
      try {
        const { documentId } = payload as { readonly documentId?: unknown }
        query = documents.documentOf({ query, documentId, extensions: payload.extensions }) as string
      } catch (error) {
        return [error as GraphQLError]
      }
      const params = { query, operationName: operationName ?? null, variables: variables ?? {} }
      // graphql-ws keeps the payload until the operation has ended.
      Object.assign(payload, { query: '', operationName: null, variables: null })
      const reply = new SocketReply(id, connection)
      const { author } = connection
      const signal = () => extra.operations()!.signalOf(id)
      engine.respond({ body: null, author, params: () => params, signal, client: () => connection.client() }, reply)
      const errors = await reply.accepted
      return errors === null ? { ...UNUSED, contextValue: reply } : [...errors]
    },
    execute: ({ contextValue }) => (contextValue as SocketReply).results as never,
  })

  function connect(socket: WebSocket, raw: Duplex, request: IncomingMessage): void {
    const closed = metrics.socketOpened()
    const connection = new SocketConnection(socket, raw, guard.of(raw as Socket), limits)
    connections.add(connection)
    let operations: SocketOperations | null = null
    /** Resolves when the messages before have been looked through. Null if that took no time. */
    let scanning: Promise<void> | null = null
    const handleText = (text: string): void => {
      const scan = () => scanJson(text, limits.bounds)
      const scanned = scanning === null ? scan() : scanning.then(scan)
      if (!(scanned instanceof Promise)) return handleScanned(scanned)
      socket.pause()
      const done: Promise<void> = scanned
        .then(handleScanned, (error: unknown) => fail(socket, error))
        .then(() => {
          if (scanning !== done) return
          scanning = null
          socket.resume()
        })
      scanning = done
    }
    // Not an async function, which would keep the text alive as long as the operation runs.
    const handleScanned = (scanned: ScannedJson): void => {
      if (socket.readyState !== socket.OPEN) return
      const message = parsedMessage(scanned)
      if (message === null) return socket.close(CLOSE.badRequest, 'Invalid message received')
      // graphql-ws sends the payload back, however long it is.
      if (scanned.text.length > limits.echoedLength && isPing(message)) delete message.payload
      fillQuery(message)
      operations?.take(message, scanned.text.length).catch((error: unknown) => fail(socket, error))
    }
    const protocolClosed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) => connection.send(restoreNegativeZeros(text)),
        close: (code, reason) => socket.close(code, reason),
        onMessage(handle) {
          // graphql-ws accepts parsed messages too, although its type does not allow them.
          operations = new SocketOperations((message) => handle(message as never))
          connection.onMessage(handleText)
        },
      },
      { connection, request, operations: () => operations },
    )
    socket.once('close', (code, reason) => {
      connections.delete(connection)
      connection.acknowledge()
      operations?.cancelAll()
      closed()
      protocolClosed(code, reason.toString('utf8')).catch((error: unknown) => engine.mask(error))
    })
  }

  /** Closes a socket after a handler has thrown. The reason shows the client's own errors; others are logged. */
  function fail(socket: WebSocket, error: unknown): void {
    if (socket.readyState !== socket.OPEN) return
    const message = error instanceof Error ? error.message : ''
    if (message.startsWith('Unexpected message of type'))
      return socket.close(CLOSE.badRequest, 'Invalid message received')
    const masked = engine.mask(error)
    const code = masked.extensions['code']
    socket.close(
      code === 'INTERNAL_SERVER_ERROR' ? CLOSE.failed : code === 'TOO_LARGE' ? CLOSE.tooLarge : CLOSE.badRequest,
      Buffer.from(masked.message).subarray(0, 120).toString('utf8'),
    )
  }

  const pinging = setInterval(() => {
    for (const connection of connections) connection.ping()
  }, limits.pingSeconds * 1000)

  return {
    upgrade(request, raw, head) {
      server.handleUpgrade(request, raw, head, (socket) => connect(socket, raw, request))
    },
    async close() {
      clearInterval(pinging)
      for (const socket of server.clients) socket.close(CLOSE.restart, 'The gateway is stopping. Reconnect.')
      const until = performance.now() + 1000
      while (server.clients.size > 0 && performance.now() < until) await pause(10)
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

function isPing(message: object): message is { payload?: unknown } {
  return (message as { type?: unknown }).type === 'ping'
}

/** A document that is named by its id or hash needs no text, but graphql-ws closes the socket without one. */
function fillQuery(message: { readonly type?: unknown; readonly payload?: unknown }): void {
  const { type, payload } = message
  if (type !== 'subscribe' || !isJsonObject(payload)) return
  const { query, documentId, extensions } = payload
  const isNamed = documentId !== undefined || extensions !== undefined
  if (isNamed && (query === undefined || query === null)) Object.assign(payload, { query: '' })
}

function parsedMessage({ text, mayHoldInexactNumber, parsed }: ScannedJson): object | null {
  try {
    const message = parsed === undefined ? parseExactJson(text, mayHoldInexactNumber) : parsed.value
    return typeof message === 'object' ? message : null
  } catch {
    return null
  }
}
