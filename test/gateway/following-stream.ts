import { type ClientRequest, request } from 'node:http'
import WebSocket from 'ws'

export type Transport = 'ws' | 'sse'
export const TRANSPORTS: readonly Transport[] = ['ws', 'sse']

export interface StreamResult {
  readonly data?: any
  readonly errors?: readonly { message: string; extensions: Record<string, any> }[]
}

/** A subscription as a client sees it, over WebSocket or server-sent events. */
export interface OpenStream {
  /** Waits for the next result; null if the stream has ended. @throws Error if there is none within `ms` */
  next(ms?: number): Promise<StreamResult | null>
  /** Stops reading from the socket. */
  pause(): void
  resume(): void
  /** Cuts the connection without closing the subscription. */
  cut(): void
  /** The close code of a WebSocket; 0 for server-sent events. */
  readonly closed: Promise<number>
}

/** Buffers results until they are read. */
class Inbox {
  readonly #results: StreamResult[] = []
  #ended = false
  #wake: () => void = () => undefined

  push(result: StreamResult): void {
    this.#results.push(result)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async next(ms = 60_000): Promise<StreamResult | null> {
    const until = performance.now() + ms
    for (;;) {
      if (this.#results.length > 0) return this.#results.shift()!
      if (this.#ended) return null
      const left = until - performance.now()
      if (left <= 0) throw new Error(`No result within ${ms} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

export function openStream(transport: Transport, endpoint: string, query: string, variables: object = {}): OpenStream {
  return (transport === 'ws' ? overWebSocket : overEvents)(endpoint, query, variables)
}

function overWebSocket(endpoint: string, query: string, variables: object): OpenStream {
  const inbox = new Inbox()
  const socket = new WebSocket(endpoint.replace('http', 'ws'), ['graphql-transport-ws'])
  socket.on('open', () => socket.send('{"type":"connection_init"}'))
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; payload: any }
    if (message.type === 'connection_ack')
      socket.send(JSON.stringify({ id: 's', type: 'subscribe', payload: { query, variables } }))
    if (message.type === 'next') inbox.push(message.payload as StreamResult)
    if (message.type === 'error') inbox.push({ errors: message.payload as never })
    if (message.type === 'error' || message.type === 'complete') inbox.end()
  })
  socket.on('error', () => undefined)
  const closed = new Promise<number>((resolve) =>
    socket.on('close', (code) => {
      inbox.end()
      resolve(code)
    }),
  )
  return {
    next: (ms) => inbox.next(ms),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    cut: () => socket.terminate(),
    closed,
  }
}

function overEvents(endpoint: string, query: string, variables: object): OpenStream {
  const inbox = new Inbox()
  let pause: () => void = () => undefined
  let resume: () => void = () => undefined
  let sent: ClientRequest | undefined
  const closed = new Promise<number>((resolve) => {
    const end = () => {
      inbox.end()
      resolve(0)
    }
    sent = request(
      endpoint,
      {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      },
      (response) => {
        pause = () => response.pause()
        resume = () => response.resume()
        let chunks: string[] = []
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          // An event may arrive in megabytes of chunks. They are joined once, when the event is complete.
          chunks.push(text)
          if (!text.includes('\n\n') && !(text.startsWith('\n') && chunks.at(-2)?.endsWith('\n'))) return
          const events = chunks.join('').split('\n\n')
          chunks = [events.pop()!]
          for (const event of events) {
            if (event.startsWith('event: next\ndata: ')) inbox.push(JSON.parse(event.slice(18)) as StreamResult)
            if (event.startsWith('event: complete')) inbox.end()
          }
        })
        response.on('error', end)
        response.on('close', end)
      },
    )
    sent.on('error', end)
    sent.end(JSON.stringify({ query, variables }))
  })
  return {
    next: (ms) => inbox.next(ms),
    pause: () => pause(),
    resume: () => resume(),
    cut: () => void sent?.destroy(),
    closed,
  }
}
