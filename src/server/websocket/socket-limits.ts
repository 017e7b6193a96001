import type { JsonBounds } from '../json/json-bounds.js'

/** Limits of one WebSocket. */
export interface SocketLimits {
  readonly sockets: number
  readonly operations: number
  readonly endingOperations: number
  readonly messageBytes: number
  /** Limits what a message may hold, in addition to its length. */
  readonly bounds: JsonBounds
  readonly echoedLength: number
  readonly earlyBytes: number
  readonly initSeconds: number
  readonly pingSeconds: number
}

export const SOCKET_LIMITS: Omit<SocketLimits, 'messageBytes' | 'bounds'> = {
  /** @bound WebSocket connections. */
  sockets: 10_000,
  /** @bound GraphQL operations in flight on one WebSocket. */
  operations: 256,
  /**
   * @bound Completed operations that are still ending on one WebSocket. They do not count as in flight. One read of 64 KiB
   * contains about 400 pairs of `complete` and `subscribe`, and none of these operations ends before all are handled.
   */
  endingOperations: 1_024,
  /** @bound Characters of a ping whose payload is sent back. The pong to a longer one has none. */
  echoedLength: 1024,
  /** @bound Size of a message before `connection_init` was accepted. */
  earlyBytes: 64 * 1024,
  /** @bound Time until a WebSocket sends `connection_init`. */
  initSeconds: 15,
  /** @bound Time between two pings. A peer that misses five of them is disconnected. */
  pingSeconds: 12,
}

/** @bound Pings without a sign of life after which a peer is disconnected. */
export const SILENT_PINGS = 5

/** @bound Unsent bytes above which the gateway stops reading from a socket, because each message may ask for more. */
export const UNSENT_BYTES = 1024 * 1024

/** Close codes of graphql-transport-ws and RFC 6455. */
export const CLOSE = {
  badRequest: 4400,
  initTimeout: 4408,
  policy: 1008,
  tooLarge: 1009,
  failed: 1011,
  restart: 1012,
  tryAgain: 1013,
} as const
