import type { Socket } from 'node:net'
import { ArrivalBudget } from './arrival-budget.js'
import type { ConnectionLimits } from './connection-limits.js'
import { GuardedConnection } from './guarded-connection.js'

/**
 * Watches all connections, whatever is sent on them: answers, event streams, WebSockets and files. It disconnects
 * clients that accept nothing, refuses bodies that do not arrive, and bounds the memory of both over all connections.
 */
export class ConnectionGuard {
  readonly #connections = new Map<Socket, GuardedConnection>()
  readonly #budget: ArrivalBudget
  readonly #timer: NodeJS.Timeout
  /** Sizes, large or not, of which no more can be refused until the next inspection. */
  readonly #spent = new Set<boolean>()

  /** @param largeTotalBytes - Memory for large bodies and messages that are not complete yet */
  constructor(
    private readonly limits: ConnectionLimits,
    largeTotalBytes: number,
  ) {
    this.#budget = new ArrivalBudget(limits, largeTotalBytes)
    this.#timer = setInterval(() => this.#inspect(), limits.checkMs)
    this.#timer.unref()
  }

  /** Watches a connection until it is closed. */
  add(socket: Socket): GuardedConnection {
    const memory = { replace: (before: number, after: number) => this.#replace(before, after) }
    const connection = new GuardedConnection(socket, this.limits, memory)
    if (socket.destroyed) return connection
    this.#connections.set(socket, connection)
    socket.once('close', () => {
      this.#connections.delete(socket)
      connection.end()
    })
    return connection
  }

  /** Returns the state of a connection. */
  of(socket: Socket): GuardedConnection {
    return this.#connections.get(socket) ?? this.add(socket)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #replace(before: number, after: number): boolean {
    this.#budget.replace(before, after)
    if (after <= before) return true
    const isLarge = this.#budget.isLarge(after)
    if (this.#budget.isExceeded(isLarge)) this.#refuseSlowest(isLarge)
    return !this.#budget.isExceeded(isLarge)
  }

  /** Makes room: refuses what arrives most slowly, so that clients who send nothing cannot keep out those who do. */
  #refuseSlowest(isLarge: boolean): void {
    if (this.#spent.has(isLarge)) return
    const enough = (this.limits.crowdedBytesPerSecond * this.limits.checkMs) / 1_000
    const slow = [...this.#connections.values()]
      .filter(({ pace, held }) => pace !== null && pace < enough && held > 0 && this.#budget.isLarge(held) === isLarge)
      .sort((a, b) => a.pace! - b.pace! || b.held - a.held)
    for (const connection of slow) {
      if (!this.#budget.isExceeded(isLarge)) return
      connection.refuse('crowded')
    }
    if (this.#budget.isExceeded(isLarge)) this.#spent.add(isLarge)
  }

  #inspect(): void {
    this.#spent.clear()
    let unsent = 0
    for (const connection of this.#connections.values()) unsent += connection.inspect()
    if (unsent > this.limits.unsentTotalBytes) this.#closeStalled(unsent)
  }

  /** Closes connections that accept nothing, those that have done so for longest first. */
  #closeStalled(unsent: number): void {
    const stalled = [...this.#connections.values()]
      .filter(({ stalledMs }) => stalledMs > 0)
      .sort((a, b) => b.stalledMs - a.stalledMs || b.socket.writableLength - a.socket.writableLength)
    for (const { socket } of stalled) {
      if (unsent <= this.limits.unsentTotalBytes) return
      unsent -= socket.writableLength
      socket.destroy()
    }
  }
}
