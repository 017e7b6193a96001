import type { Client } from 'graphql-ws'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import type { JsonObject } from '../../core/entry/json.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import type { GatewayClientOptions } from './gateway-client.js'
import { failureOfErrors } from './gateway-client.js'
import { ChangesDocument, type ChangesSubscription } from './gateway-documents.js'
import { gatewaySocketUrl } from './gateway-url.js'

/** One batch of the `changes` subscription. */
export type ReceivedBatch = ChangesSubscription['changes']

export interface FollowOptions {
  readonly after: string | null
  readonly find: JsonObject | null
  readonly initial: boolean
  readonly withContent: boolean
  readonly signal: AbortSignal
  /** Called with one batch at a time. The next batch is delivered when the promise resolves. */
  readonly onBatch: (batch: ReceivedBatch) => Promise<void>
  /**
   * Called when the stream is lost, and after each failed attempt to resume it, with the reason and the milliseconds until
   * the next attempt.
   */
  readonly onLost: (reason: string, waitMs: number) => void
  /** Called when the stream is back: with its first batch, because a gateway may accept connections and serve nothing. */
  readonly onResumed: () => void
}

/** Reconnecting backs off from the first delay to the longest. */
const FIRST_DELAY_MS = 250
/** @bound Pause before a watcher connects again. With the time for connecting, it is back within 2 s of its gateway. */
const LONGEST_DELAY_MS = 1_000
/** A peer that vanishes silently is noticed within a ping interval and the wait for its pong. */
const PING_MS = 10_000
/** @bound Time for the answer to a ping, after which a watcher connects again. */
const PONG_WAIT_MS = 5_000
/** @bound Time for the WebSocket handshake of a watcher, and again for the acknowledgement of the connection. */
const CONNECT_WAIT_MS = 10_000

/** @bound Batches of a watcher that may wait for their handler before reading from the socket pauses. */
const MAX_QUEUED = 16

/**
 * Follows `changes` until the signal aborts. After a lost connection it reconnects and resumes after the last delivered
 * batch, so nothing is missing and nothing is delivered twice.
 * @throws CommandFailure unreachable if the very first connection fails, refused if the gateway ends the stream with an error
 */
export async function followChanges(gateway: GatewayClientOptions, options: FollowOptions): Promise<void> {
  let after = options.after
  let everConnected = false
  let failures = 0
  while (!options.signal.aborted) {
    const onBatch = async (batch: ReceivedBatch): Promise<void> => {
      if (failures > 0) options.onResumed()
      failures = 0
      await options.onBatch(batch)
      after = batch.cursor
    }
    const onConnected = (): void => {
      everConnected = true
    }
    const { find, initial, withContent, signal } = options
    // An omitted filter and a filter of `null` are different variables to the gateway.
    const variables = { after, initial, withContent, ...(find === null ? {} : { find }) }
    const reason = await followOnce(
      gateway,
      { query: ChangesDocument.text, variables },
      { onBatch, onConnected, signal },
    )
    if (signal.aborted) return
    if (!everConnected) {
      const advice = 'Start one with `cadastre serve`, or name another with --url'
      throw new CommandFailure(
        EXIT.unreachable,
        `No gateway answers at ${gateway.url.href} (${reason}). ${advice}`,
        'UNREACHABLE',
      )
    }
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
    failures++
    options.onLost(reason, delay)
    await pause(delay, signal)
  }
}

interface ConnectionCallbacks {
  readonly onBatch: (batch: ReceivedBatch) => Promise<void>
  readonly onConnected: () => void
  readonly signal: AbortSignal
}

/** Follows over one connection. Resolves with the reason for its end. @throws CommandFailure if the gateway sends an error */
async function followOnce(
  gateway: GatewayClientOptions,
  payload: { query: string; variables: Record<string, unknown> },
  { onBatch, onConnected, signal }: ConnectionCallbacks,
): Promise<string> {
  const connectWaitMs = gateway.timeoutMs ?? CONNECT_WAIT_MS
  let socket: WebSocket | undefined
  let pongTimer: NodeJS.Timeout | undefined
  const client: Client = createClient({
    url: gatewaySocketUrl(gateway.url),
    webSocketImpl: withHandshakeTimeout(connectWaitMs),
    // `followChanges` reconnects instead: the library would subscribe with the first cursor again.
    retryAttempts: 0,
    keepAlive: PING_MS,
    connectionAckWaitTimeout: connectWaitMs,
    ...(gateway.author === undefined ? {} : { connectionParams: { author: gateway.author } }),
    on: {
      opened: (opened) => {
        socket = opened as WebSocket
      },
      connected: onConnected,
      ping: (received) => {
        // A paused socket delivers no pong. That says nothing about the gateway.
        if (!received && socket?.isPaused === false) pongTimer = setTimeout(() => socket?.terminate(), PONG_WAIT_MS)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
    },
  })

  const queue: ReceivedBatch[] = []
  let draining: Promise<void> | undefined
  const drain = async (): Promise<void> => {
    for (let batch = queue.shift(); batch !== undefined && !signal.aborted; batch = queue.shift()) {
      await onBatch(batch)
      if (queue.length === 0 && socket?.isPaused === true) socket.resume()
    }
    draining = undefined
  }

  let stopListening = () => {}
  try {
    const reason = await new Promise<string>((resolve, reject) => {
      const stop = client.subscribe<ChangesSubscription>(payload, {
        next: ({ data, errors }) => {
          if (errors !== undefined && errors.length > 0) return reject(endFailure(errors))
          if (!data) return
          queue.push(data.changes)
          draining ??= drain().catch((error: unknown) => reject(error as Error))
          if (queue.length >= MAX_QUEUED) {
            clearTimeout(pongTimer)
            socket?.pause()
          }
        },
        error: (error) => {
          if (Array.isArray(error)) reject(endFailure(error as { message: string }[]))
          else resolve(closeReason(error))
        },
        complete: () => resolve('the gateway ended the stream'),
      })
      const interrupt = () => {
        stop()
        resolve('interrupted')
      }
      signal.addEventListener('abort', interrupt, { once: true })
      stopListening = () => signal.removeEventListener('abort', interrupt)
    })
    await draining
    return reason
  } catch (error) {
    await draining
    if (error instanceof TemporaryFailure) return error.message
    throw error
  } finally {
    stopListening()
    clearTimeout(pongTimer)
    client.terminate()
  }
}

/** Without a timeout, a peer that accepts the connection and never answers the handshake would be waited for forever. */
function withHandshakeTimeout(handshakeTimeout: number): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { handshakeTimeout })
    }
  } as typeof WebSocket
}

/** The gateway reports that it cannot serve now. Reconnecting may help. */
class TemporaryFailure extends Error {}

function endFailure(errors: readonly { message: string; extensions?: object }[]): Error {
  const failure = failureOfErrors(errors as Parameters<typeof failureOfErrors>[0])
  return failure.exitCode === EXIT.unreachable ? new TemporaryFailure(failure.message) : failure
}

function closeReason(error: unknown): string {
  const { code, reason, message } = error as { code?: unknown; reason?: unknown; message?: unknown }
  if (typeof code === 'number')
    return `closed with ${code}${typeof reason === 'string' && reason !== '' ? ` ${reason}` : ''}`
  return typeof message === 'string' && message !== '' ? message : 'the connection failed'
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
