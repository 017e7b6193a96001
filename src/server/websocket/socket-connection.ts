import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { ArrivalFault, GuardedConnection } from '../connections/guarded-connection.js'
import { clientOf, type QueuedClient } from '../pipeline/queued-client.js'
import { CLOSE, SILENT_PINGS, type SocketLimits, UNSENT_BYTES } from './socket-limits.js'
import type { FrameWriter } from './socket-reply.js'
import { unfinishedBytes } from './unfinished-message.js'

/** One client's WebSocket: its liveness, its backpressure, and its limits until `connection_init`. */
export class SocketConnection implements FrameWriter {
  author: string | null = null
  /** Pings since the last sign of life. */
  #silence = 0
  /** Whether the socket has accepted any data since the last ping. */
  #isBusy = true
  #earlyBytes = 0
  /** Null once `connection_init` was accepted, or the socket has closed. */
  #initTimer: NodeJS.Timeout | null

  constructor(
    private readonly socket: WebSocket,
    private readonly raw: Duplex,
    private readonly guarded: GuardedConnection,
    private readonly limits: SocketLimits,
  ) {
    raw.on('data', this.#countEarly)
    raw.on('data', this.#countUnfinished)
    this.#initTimer = setTimeout(() => {
      // Reads first the data that arrived while this thread was busy.
      setImmediate(() => {
        if (this.#initTimer !== null) socket.close(CLOSE.initTimeout, 'Connection initialisation timeout')
      })
    }, limits.initSeconds * 1000)
    socket.on('pong', () => this.#noteActivity())
    // ws closes the socket after a broken frame, with the reason.
    socket.on('error', () => undefined)
  }

  client(): QueuedClient {
    return clientOf(this.raw as Socket, this.author)
  }

  /** Lifts the limits for clients that have not sent `connection_init`. */
  acknowledge(): void {
    if (this.#initTimer !== null) clearTimeout(this.#initTimer)
    this.#initTimer = null
    this.raw.off('data', this.#countEarly)
  }

  /** Calls `handle` for each message while the socket is open. */
  onMessage(handle: (text: string) => void): void {
    const { socket } = this
    socket.on('message', (data: Buffer) => {
      this.#noteActivity()
      if (socket.readyState === socket.OPEN) handle(data.toString('utf8'))
      if (socket.bufferedAmount > UNSENT_BYTES) socket.pause()
    })
  }

  /** Writes whole frames past ws, which would copy each message and write its header separately. */
  write(frames: Buffer, onSent: (error?: Error | null) => void): boolean {
    if (this.socket.readyState !== this.socket.OPEN) return false
    this.raw.write(frames, (error) => {
      this.#hasTaken()
      onSent(error)
    })
    return true
  }

  /** Sends one message. Resolves when the socket has accepted it. */
  send(text: string): Promise<void> {
    const { socket } = this
    return new Promise((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return resolve()
      socket.send(text, (error) => {
        this.#hasTaken()
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** Pings the peer, or disconnects it if it has been silent for too long. */
  ping(): void {
    const { socket } = this
    const isBusy = this.#isBusy
    this.#isBusy = false
    // A ping cannot overtake a message that is still being sent. A peer that has accepted data since the last ping
    // needs none.
    this.#silence = socket.bufferedAmount > 0 || isBusy ? 0 : this.#silence + 1
    if (this.#silence > SILENT_PINGS) socket.terminate()
    else if (!isBusy && socket.readyState === socket.OPEN) socket.ping()
  }

  #noteActivity(): void {
    this.#silence = 0
  }

  #hasTaken(): void {
    const { socket } = this
    this.#noteActivity()
    this.#isBusy = true
    if (socket.isPaused && socket.readyState === socket.OPEN && socket.bufferedAmount < UNSENT_BYTES) socket.resume()
  }

  /** ws buffers the frames of a message until it is complete, so only the raw socket shows an endless first message. */
  readonly #countEarly = (chunk: Buffer): void => {
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes <= this.limits.earlyBytes) return
    this.raw.off('data', this.#countEarly)
    this.#refuse(CLOSE.tooLarge, 'too much data before connection_init')
  }

  /** Called after ws has read the same chunk. Most messages are complete then, and cost nothing here. */
  readonly #countUnfinished = (): void => {
    const { guarded } = this
    const bytes = unfinishedBytes(this.socket)
    if (bytes === 0) {
      if (guarded.isReceiving) guarded.end()
      return
    }
    if (!guarded.isReceiving) guarded.begin(this.#refuseUnfinished)
    guarded.hold(bytes)
  }

  readonly #refuseUnfinished = (fault: ArrivalFault): void => {
    if (fault === 'slow') this.#refuse(CLOSE.policy, 'The message arrives too slowly. Send it without pauses.')
    else this.#refuse(CLOSE.tryAgain, 'Too many messages are being read, and this one is not complete.')
  }

  /** Closes the socket without reading the rest of a message. */
  #refuse(code: number, reason: string): void {
    this.raw.off('data', this.#countUnfinished)
    this.socket.close(code, reason)
    this.socket.pause()
    setTimeout(() => this.socket.terminate(), 1000).unref()
  }
}
