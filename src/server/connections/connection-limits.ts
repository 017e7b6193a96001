/** Limits of what a connection sends and receives, whatever its protocol. */
export interface ConnectionLimits {
  /** Time between two inspections of all connections. */
  readonly checkMs: number
  readonly headersMs: number
  readonly bodyMs: number
  readonly lagMs: number
  readonly bytesPerSecond: number
  readonly crowdedBytesPerSecond: number
  readonly smallBytes: number
  readonly smallTotalBytes: number
  readonly writeMs: number
  readonly unsentTotalBytes: number
  readonly unanswered: number
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  checkMs: 1_000,
  /** @bound Time for receiving a request's headers. */
  headersMs: 15_000,
  /** @bound Time for receiving a whole request. */
  bodyMs: 120_000,
  /** @bound Time that an unfinished body or WebSocket message may arrive more slowly than the lowest rate, or not at all. */
  lagMs: 10_000,
  /** @bound Lowest rate at which a body or WebSocket message arrives, in bytes a second. */
  bytesPerSecond: 1024,
  /**
   * @bound Lowest rate, in bytes a second, at which a body or WebSocket message arrives while the memory for unfinished
   * ones is full. Slower ones are refused first.
   */
  crowdedBytesPerSecond: 65_536,
  /** @bound Size up to which a body or WebSocket message counts as small. Small ones never wait for large ones. */
  smallBytes: 256 * 1024,
  /** @bound Memory for small bodies and WebSocket messages that are not complete yet. */
  smallTotalBytes: 64 * 1024 * 1024,
  /** @bound Time after which a connection is closed if its client accepts no byte of what is being sent. */
  writeMs: 30_000,
  /**
   * @bound Bytes that all clients together have not accepted yet. Above it, connections that accept nothing are closed,
   * and answers are refused.
   */
  unsentTotalBytes: 256 * 1024 * 1024,
  /** @bound Pipelined requests on one connection that are executed at the same time. */
  unanswered: 64,
}
