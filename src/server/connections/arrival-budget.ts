import type { ConnectionLimits } from './connection-limits.js'

/**
 * Counts the bytes of bodies and WebSocket messages that are not complete yet, over all connections. They take memory
 * before anything is known about their requests. Bytes count as they arrive, because announcing costs a client nothing.
 * Small and large ones have separate shares, so that a few large ones cannot keep out everyone else.
 */
export class ArrivalBudget {
  #small = 0
  #large = 0

  /** @param largeTotalBytes - Memory for large bodies and messages */
  constructor(
    private readonly limits: Pick<ConnectionLimits, 'smallBytes' | 'smallTotalBytes'>,
    private readonly largeTotalBytes: number,
  ) {}

  isLarge(bytes: number): boolean {
    return bytes > this.limits.smallBytes
  }

  /** Counts that a body has grown from `before` to `after` bytes, or has ended at 0. */
  replace(before: number, after: number): void {
    if (this.isLarge(before)) this.#large -= before
    else this.#small -= before
    if (this.isLarge(after)) this.#large += after
    else this.#small += after
  }

  /** Whether the share of large or of small bodies is exceeded. */
  isExceeded(isLarge: boolean): boolean {
    return isLarge ? this.#large > this.largeTotalBytes : this.#small > this.limits.smallTotalBytes
  }
}
