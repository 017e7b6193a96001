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
  /** Handed one batch at a time; the next is not read before this settles. */
  readonly take: (batch: ReceivedBatch) => Promise<void>
  /** Hears why the connection was lost and after how many milliseconds it is tried again. */
  readonly onLost: (reason: string, waitMs: number) => void
  readonly onBack: () => void
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000
/** A peer that is gone without a word is noticed within this and the wait for its pong. */
const PING_MS = 10_000
const PONG_WAIT_MS = 5_000
const ACK_WAIT_MS = 10_000

/** Batches received and not yet taken, above which nothing more is read from the socket. */
const MAX_WAITING = 16

/**
 * Follows `changes` until the signal: where the connection ends it is made anew and goes on after the last
 * batch taken, so that nothing is missing and nothing comes twice.
 * @throws Failure unreachable where the very first connection fails, refused where the gateway ends the stream with an error
 */
export async function followChanges(gateway: GatewayClientOptions, options: FollowOptions): Promise<void> {
  let after = options.after
  let everConnected = false
  let failures = 0
  while (!options.signal.aborted) {
    const take = async (batch: ReceivedBatch): Promise<void> => {
      await options.take(batch)
      after = batch.cursor
      // Not on connecting: a gateway that lets us in and serves nothing must not be asked four times a second.
      failures = 0
    }
    const connected = (): void => {
      if (everConnected && failures > 0) options.onBack()
      everConnected = true
    }
    const { find, initial, withContent, signal } = options
    // A filter that was never given is left out: `null` would be one that is given.
    const variables = { after, initial, withContent, ...(find === null ? {} : { find }) }
    const reason = await followOnce(gateway, { query: ChangesDocument.text, variables }, { take, connected, signal })
    if (signal.aborted) return
    if (!everConnected) {
      const advice = '`cadastre serve` starts one, --url names another'
      throw new CommandFailure(
        EXIT.unreachable,
        `no gateway at ${gateway.url.href} (${reason}): ${advice}`,
        'UNREACHABLE',
      )
    }
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
    failures++
    options.onLost(reason, wait)
    await pause(wait, signal)
  }
}

interface Connection {
  readonly take: (batch: ReceivedBatch) => Promise<void>
  readonly connected: () => void
  readonly signal: AbortSignal
}

/** One connection, from its opening to its end. Settles with why it ended. @throws Failure as told by the gateway */
async function followOnce(
  gateway: GatewayClientOptions,
  payload: { query: string; variables: Record<string, unknown> },
  { take, connected, signal }: Connection,
): Promise<string> {
  let socket: WebSocket | undefined
  let pongTimer: NodeJS.Timeout | undefined
  const client: Client = createClient({
    url: gatewaySocketUrl(gateway.url),
    webSocketImpl: WebSocket,
    // Trying again is done above: the library would subscribe with the cursor of the beginning.
    retryAttempts: 0,
    keepAlive: PING_MS,
    connectionAckWaitTimeout: gateway.timeoutMs ?? ACK_WAIT_MS,
    ...(gateway.author === undefined ? {} : { connectionParams: { author: gateway.author } }),
    on: {
      opened: (opened) => {
        socket = opened as WebSocket
      },
      connected,
      ping: (received) => {
        // A socket that we do not read gives no pong: that is our slowness and not the gateway's.
        if (!received && socket?.isPaused === false) pongTimer = setTimeout(() => socket?.terminate(), PONG_WAIT_MS)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
    },
  })

  const waiting: ReceivedBatch[] = []
  let draining: Promise<void> | undefined
  const drain = async (): Promise<void> => {
    for (let batch = waiting.shift(); batch !== undefined && !signal.aborted; batch = waiting.shift()) {
      await take(batch)
      if (waiting.length === 0 && socket?.isPaused === true) socket.resume()
    }
    draining = undefined
  }

  try {
    const reason = await new Promise<string>((resolve, reject) => {
      const stop = client.subscribe<ChangesSubscription>(payload, {
        next: ({ data, errors }) => {
          if (errors !== undefined && errors.length > 0) return reject(endFailure(errors))
          if (!data) return
          waiting.push(data.changes)
          draining ??= drain().catch((error: unknown) => reject(error as Error))
          if (waiting.length >= MAX_WAITING) {
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
      signal.addEventListener(
        'abort',
        () => {
          stop()
          resolve('interrupted')
        },
        { once: true },
      )
    })
    await draining
    return reason
  } catch (error) {
    await draining
    if (error instanceof GoneAway) return error.message
    throw error
  } finally {
    clearTimeout(pongTimer)
    client.terminate()
  }
}

/** The gateway's own word that it cannot serve now: worth trying again. */
class GoneAway extends Error {}

function endFailure(errors: readonly { message: string; extensions?: object }[]): Error {
  const failure = failureOfErrors(errors as Parameters<typeof failureOfErrors>[0])
  return failure.exitCode === EXIT.unreachable ? new GoneAway(failure.message) : failure
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
