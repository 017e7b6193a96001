import type { WebSocket } from 'ws'

/** The state of ws about a message that is not complete. ws has no public access to it. */
interface Receiver {
  readonly _bufferedBytes: number
  readonly _messageLength: number
  readonly _state: number
  /** The opcode of a message in fragments, or 0. */
  readonly _fragmented: number
  readonly _fragments: readonly unknown[]
}

/** ws waits for the first byte of a frame. */
const BETWEEN_FRAMES = 0
/** Memory of a fragment in addition to its bytes. */
const FRAGMENT_BYTES = 128

/** Returns the memory of a message of which only a part has arrived, or 0 if there is none. */
export function unfinishedBytes(socket: WebSocket): number {
  const receiver = (socket as unknown as { readonly _receiver?: Receiver })._receiver
  if (receiver === undefined) return 0
  const { _bufferedBytes: buffered, _fragments: fragments } = receiver
  const isBetweenMessages = receiver._state === BETWEEN_FRAMES && receiver._fragmented === 0
  if (isBetweenMessages) return buffered
  return 1 + buffered + receiver._messageLength + FRAGMENT_BYTES * fragments.length
}
