import { setMaxListeners } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Context, handleProtocols, makeServer } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { restoreNegativeZeros } from '../../graphql/results/result-text.js'
import { pause } from '../../registry/async/pause.js'
import type { Engine } from '../engine/engine.js'
import type { Metrics } from '../observing/metrics.js'
import { AUTHOR_HEADER, headerText, parseAuthor } from '../pipeline/author.js'
import { isStream, type PreparedOperation, type ResultSink, type ResultStream } from '../pipeline/operation-request.js'
import { requestError } from '../pipeline/request-error.js'
import { nextFrames } from './socket-frames.js'
import { SocketOperations } from './socket-operations.js'

/** What a socket may cost. */
export interface SocketLimits {
  readonly sockets: number
  readonly operations: number
  readonly messageBytes: number
  /** Before `connection_init` has been accepted: nobody has said anything of use yet. */
  readonly earlyBytes: number
  readonly initSeconds: number
  /** Between two pings; a peer that gives no sign of life for five of them is gone: it neither says nor takes anything. */
  readonly pingSeconds: number
}

export const SOCKET_LIMITS: Omit<SocketLimits, 'messageBytes'> = {
  /** @bound WebSocket connections. */
  sockets: 10_000,
  /** @bound GraphQL operations in flight on one WebSocket. */
  operations: 256,
  /** @bound Size of a message before `connection_init` was accepted. */
  earlyBytes: 64 * 1024,
  /** @bound Time until a WebSocket sends `connection_init`. */
  initSeconds: 15,
  /** @bound Time between two pings. A peer that misses five of them is disconnected. */
  pingSeconds: 12,
}

const SILENT_PINGS = 5
/** @bound Unsent bytes above which the gateway stops reading from a socket, because each message may ask for more. */
const UNSENT_BYTES = 1024 * 1024

/** An operation on its way through graphql-ws. */
interface SocketOperation {
  /** Null once it has started: graphql-ws keeps hold of this as long as the operation runs, 10,000 of which may follow. */
  prepared: PreparedOperation | null
  readonly id: string
  readonly connection: Connection
}

/** What is known of whether a peer is still there. */
interface Line {
  /** Pings since it was last heard. */
  silence: number
  /** It has taken something since the last look. */
  isBusy: boolean
}

/** Close codes of graphql-transport-ws and RFC 6455. */
const CLOSE = { badRequest: 4400, initTimeout: 4408, tooLarge: 1009, restart: 1012, failed: 1011 } as const

interface Connection {
  /** Null once the client is known. */
  request: IncomingMessage | null
  readonly gone: AbortController
  author: string | null
  operations(): number
  acknowledged(): void
  /** Writes whole frames; `taken` is called once the socket has taken them. */
  write(frames: Buffer, taken: () => void): void
}

export interface WebSockets {
  /** Takes a connection over from the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Tells every client to come back, and cuts off those that do not answer. */
  close(): Promise<void>
}

/** graphql-transport-ws over the same engine as HTTP. */
export function createWebSockets(
  engine: Engine,
  metrics: Metrics,
  limits: SocketLimits,
  stopping: AbortSignal,
): WebSockets {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.messageBytes,
    handleProtocols,
  })
  const lines = new WeakMap<WebSocket, Line>()

  const protocol = makeServer<Record<string, unknown>, Connection>({
    // It would take for silent whom this thread has been too busy to hear, and keep a timer for each socket as long as that lives.
    connectionInitWaitTimeout: 0,
    onConnect({ connectionParams, extra }) {
      const said = connectionParams?.['author'] ?? headerText(extra.request?.headers[AUTHOR_HEADER])
      extra.author = parseAuthor(said, '`author` in connection_init')
      extra.request = null
      extra.acknowledged()
      return true
    },
    onSubscribe(context: Context<Record<string, unknown>, Connection>, id, payload) {
      const { query, operationName, variables } = payload
      if (stopping.aborted) return [requestError('UNAVAILABLE', 'the gateway is stopping; connect anew')]
      if (context.extra.operations() >= limits.operations) {
        return [
          requestError(
            'UNAVAILABLE',
            `this socket has ${limits.operations} operations under way; end some or open another`,
          ),
        ]
      }
      const { author, gone } = context.extra
      const prepared = engine.prepare(
        { query, operationName: operationName ?? null, variables: variables ?? {} },
        { author, signal: gone.signal },
      )
      if ('errors' in prepared) return [...prepared.errors]
      // graphql-ws keeps hold of this too.
      Object.assign(payload, { query: '', variables: null })
      return {
        schema: engine.schema,
        document: prepared.document,
        operationName: operationName ?? null,
        contextValue: { prepared, id, connection: context.extra } satisfies SocketOperation,
      }
    },
    execute: ({ contextValue }) => started(contextValue as SocketOperation) as never,
    subscribe: async ({ contextValue }) => {
      const { id, connection } = contextValue as SocketOperation
      const result = await started(contextValue as SocketOperation)
      return (isStream(result) ? delivered(result, sinkOf(connection, id)) : result) as never
    },
  })

  function connect(socket: WebSocket, raw: Duplex, request: IncomingMessage): void {
    const gone = new AbortController()
    // One listener for each operation under way.
    setMaxListeners(0, gone.signal)
    const letGo = metrics.socketOpened()
    const line: Line = { silence: 0, isBusy: true }
    lines.set(socket, line)
    const heard = () => {
      line.silence = 0
    }
    const hasTaken = () => {
      heard()
      line.isBusy = true
      resumeWhenTaken()
    }
    // Fires where nothing is read and not one byte of what is being written is taken: a slow peer is not a gone one.
    if (raw instanceof Socket) raw.setTimeout(SILENT_PINGS * limits.pingSeconds * 1000, () => socket.terminate())

    // ws keeps the parts of a message until it is whole: an endless first one is only seen here.
    let early = 0
    const countEarly = (chunk: Buffer) => {
      early += chunk.length
      if (early > limits.earlyBytes) refuse(CLOSE.tooLarge, 'too much came before connection_init')
    }
    raw.on('data', countEarly)
    const refuse = (code: number, reason: string) => {
      raw.off('data', countEarly)
      socket.close(code, reason)
      socket.pause()
      setTimeout(() => socket.terminate(), 1000).unref()
    }
    let waiting: NodeJS.Timeout | undefined = setTimeout(() => {
      // What has come while this thread was busy is read before.
      setImmediate(() => {
        if (waiting !== undefined) socket.close(CLOSE.initTimeout, 'Connection initialisation timeout')
      })
    }, limits.initSeconds * 1000)
    const known = () => {
      clearTimeout(waiting)
      waiting = undefined
      raw.off('data', countEarly)
    }
    const resumeWhenTaken = () => {
      if (socket.isPaused && socket.readyState === socket.OPEN && socket.bufferedAmount < UNSENT_BYTES) socket.resume()
    }

    // ws would frame each message anew and write its head apart: that costs more than all else there is to do here.
    const write = (frames: Buffer, taken: () => void) => {
      if (socket.readyState !== socket.OPEN) return
      raw.write(frames, (error) => {
        hasTaken()
        if (!error) taken()
      })
    }

    let turns: SocketOperations | null = null
    // No async function: it would keep the text as long as the operation that it asks for runs.
    const take = (text: string): Promise<void> | undefined => {
      const message = parsed(text)
      if (message !== null) return turns?.take(message, text.length)
      socket.close(CLOSE.badRequest, 'Invalid message received')
      return undefined
    }
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Settles when the socket has taken it: only then is the next event of a stream asked for.
        send: (data) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) return resolve()
            socket.send(restoreNegativeZeros(data), (error) => {
              hasTaken()
              if (error) reject(error)
              else resolve()
            })
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage(handle) {
          // It takes parsed messages too, though its type does not say so.
          turns = new SocketOperations((message) => handle(message as never))
          socket.on('message', (data: Buffer) => {
            heard()
            // What comes while the socket is being closed is not for us any more.
            if (socket.readyState === socket.OPEN)
              take(data.toString('utf8'))?.catch((error: unknown) => fail(socket, error))
            if (socket.bufferedAmount > UNSENT_BYTES) socket.pause()
          })
        },
      },
      { request, gone, author: null, operations: () => turns?.size ?? 0, acknowledged: known, write },
    )

    socket.on('pong', heard)
    // A broken frame: ws closes the socket by itself and says why.
    socket.on('error', () => undefined)
    socket.once('close', (code, reason) => {
      known()
      gone.abort()
      letGo()
      closed(code, reason.toString('utf8')).catch((error: unknown) => engine.mask(error))
    })
  }

  /** What a handler throws: a caller's fault closes with its words, anything else is logged and closes without. */
  function fail(socket: WebSocket, error: unknown): void {
    if (socket.readyState !== socket.OPEN) return
    const message = error instanceof Error ? error.message : ''
    if (message.startsWith('Unexpected message of type'))
      return socket.close(CLOSE.badRequest, 'Invalid message received')
    const shown = engine.mask(error)
    const internal = shown.extensions['code'] === 'INTERNAL_SERVER_ERROR'
    socket.close(
      internal ? CLOSE.failed : CLOSE.badRequest,
      Buffer.from(shown.message).subarray(0, 120).toString('utf8'),
    )
  }

  const pinging = setInterval(() => {
    for (const socket of server.clients) {
      const line = lines.get(socket)
      if (line === undefined) continue
      const { isBusy } = line
      line.isBusy = false
      // A ping behind a message that is still being taken has not reached the peer; who has taken one since the last needs none.
      line.silence = socket.bufferedAmount > 0 || isBusy ? 0 : line.silence + 1
      if (line.silence > SILENT_PINGS) socket.terminate()
      else if (!isBusy && socket.readyState === socket.OPEN) socket.ping()
    }
  }, limits.pingSeconds * 1000)

  return {
    upgrade(request, raw, head) {
      server.handleUpgrade(request, raw, head, (socket) => connect(socket, raw, request))
    },
    async close() {
      clearInterval(pinging)
      for (const socket of server.clients) socket.close(CLOSE.restart, 'the gateway is stopping; come back')
      const until = performance.now() + 1000
      while (server.clients.size > 0 && performance.now() < until) await pause(10)
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

function started(operation: SocketOperation): ReturnType<PreparedOperation['start']> {
  const { prepared } = operation
  operation.prepared = null
  return prepared!.start()
}

/** A subscription's results written to its connection as messages `next`. */
function sinkOf(connection: Connection, id: string): ResultSink {
  const write = nextFrames(id)
  const key = `ws ${id}`
  return { send: (results, taken) => connection.write(results.frames(key, write), taken) }
}

/** What graphql-ws is given of a stream whose results go past it: its end alone. */
function delivered(stream: ResultStream, sink: ResultSink): AsyncIterableIterator<never> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      await stream.deliver(sink)
      return { done: true, value: undefined }
    },
    async return() {
      await stream.return?.()
      return { done: true, value: undefined }
    },
  }
}

function parsed(text: string): object | null {
  try {
    const message: unknown = JSON.parse(text)
    return typeof message === 'object' ? message : null
  } catch {
    return null
  }
}
