import type { Socket } from 'node:net'
import type { ConnectionLimits } from './connection-limits.js'

/** Why a body or message is refused before it is complete. */
export type ArrivalFault = 'slow' | 'crowded'

/** Memory for what arrives, shared by all connections. */
export interface ArrivalMemory {
  /** Counts a change. Returns false if there is no room, and none could be made. */
  replace(before: number, after: number): boolean
}

/** Below its public numbers, Node counts the bytes that the kernel has not accepted yet. */
interface SocketHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/** One connection: what is arriving on it, and what its client has not accepted yet. */
export class GuardedConnection {
  /** Refuses what is arriving; null while nothing is. */
  #refuse: ((fault: ArrivalFault) => void) | null = null
  #held = 0
  /** Bytes that have arrived since the last inspection. */
  #gained = 0
  /** Bytes that arrived between the last two inspections; null before two. */
  #pace: number | null = null
  /** Milliseconds for which the lowest rate may still be missed. */
  #patience = 0
  #accepted = 0
  #queued = 0
  #stalledMs = 0

  constructor(
    readonly socket: Socket,
    private readonly limits: ConnectionLimits,
    private readonly memory: ArrivalMemory,
  ) {}

  /** Bytes that have arrived of what is not complete yet. */
  get held(): number {
    return this.#held
  }

  get isReceiving(): boolean {
    return this.#refuse !== null
  }

  /** Bytes that arrived between the last two inspections, or null if nothing is arriving or that is not known yet. */
  get pace(): number | null {
    return this.#refuse === null ? null : this.#pace
  }

  /** Time for which the client has accepted nothing of what is being sent. */
  get stalledMs(): number {
    return this.#stalledMs
  }

  /** Begins a body or message. @param refuse - Called at most once, before `end`, if it may not continue */
  begin(refuse: (fault: ArrivalFault) => void): void {
    this.#refuse = refuse
    this.#gained = 0
    this.#pace = null
    this.#patience = this.limits.lagMs
  }

  /** Counts what has arrived of the body or message so far. Refuses it if there is no room for it. */
  hold(bytes: number): void {
    this.#gained += Math.max(0, bytes - this.#held)
    const before = this.#held
    this.#held = bytes
    if (!this.memory.replace(before, bytes)) this.refuse('crowded')
  }

  /** Ends a body or message: it is complete, or nobody waits for it. Idempotent. */
  end(): void {
    this.#refuse = null
    if (this.#held === 0) return
    this.memory.replace(this.#held, 0)
    this.#held = 0
  }

  /** Refuses what is arriving. */
  refuse(fault: ArrivalFault): void {
    const refuse = this.#refuse
    this.end()
    refuse?.(fault)
  }

  /**
   * Compares the progress with the previous inspection, and closes what has none. Inspections are counted instead of
   * time, because a busy gateway reads and writes nothing either.
   * @returns the bytes that the client has not accepted yet
   */
  inspect(): number {
    if (this.#refuse !== null && !this.socket.isPaused()) this.#inspectArrival()
    return this.#inspectSending()
  }

  #inspectArrival(): void {
    const { checkMs, lagMs, bytesPerSecond } = this.limits
    this.#patience = Math.min(lagMs, this.#patience - checkMs + (1_000 * this.#gained) / bytesPerSecond)
    this.#pace = this.#gained
    this.#gained = 0
    if (this.#patience <= 0) this.refuse('slow')
  }

  #inspectSending(): number {
    const { socket } = this
    const unsent = socket.writableLength
    // A connection that the gateway has ended must end, even if its client keeps its side open.
    if (unsent === 0 && !socket.writableEnded) {
      this.#stalledMs = 0
      return 0
    }
    const accepted = socket.bytesWritten - unsent
    const queued = (socket as SocketHandle)._handle?.writeQueueSize ?? 0
    const isMoving = accepted !== this.#accepted || queued !== this.#queued
    this.#accepted = accepted
    this.#queued = queued
    this.#stalledMs = isMoving ? 0 : this.#stalledMs + this.limits.checkMs
    if (this.#stalledMs >= this.limits.writeMs) socket.destroy()
    return unsent
  }
}
