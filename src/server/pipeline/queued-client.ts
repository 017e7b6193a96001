import type { Socket } from 'node:net'

/** A client that waits for a turn. Groups take turns, and so do the connections within a group. */
export interface QueuedClient {
  readonly group: string
  /** Compared by identity. */
  readonly connection: object
}

/** Returns the client at the other end of a connection: its address and author tell it from others. */
export function clientOf(connection: Pick<Socket, 'remoteAddress'>, author: string | null): QueuedClient {
  return { group: `${connection.remoteAddress} ${author ?? ''}`, connection }
}
