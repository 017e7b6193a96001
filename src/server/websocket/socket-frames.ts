import { type JsonText, piecesOf } from '../../graphql/results/long-text.js'
import { pauseIfDue } from '../../store/coalescing/time-slices.js'

/** First byte of a WebSocket frame that is a whole text message. */
const TEXT = 0x81
const SUFFIX = 0x7d

/**
 * Returns a function that writes results as `next` messages of graphql-transport-ws, each in one WebSocket frame (RFC
 * 6455, unmasked). Messages of different clients differ only in the operation's id, so they share the results' text.
 */
export function nextFrames(id: string): (texts: readonly Buffer[]) => Buffer {
  const prefix = prefixOf(id)
  return (texts) => {
    let size = 0
    for (const text of texts) {
      const length = prefix.length + text.length + 1
      size += headerLength(length) + length
    }
    const frames = Buffer.allocUnsafe(size)
    let at = 0
    for (const text of texts) {
      at = writeHeader(frames, at, prefix.length + text.length + 1)
      frames.set(prefix, at)
      frames.set(text, at + prefix.length)
      at += prefix.length + text.length
      frames[at++] = SUFFIX
    }
    return frames
  }
}

/** Writes one long result as `nextFrames` does, in time slices. */
export async function longNextFrame(id: string, text: JsonText): Promise<Buffer> {
  const prefix = prefixOf(id)
  let length = prefix.length + 1
  for (const piece of piecesOf(text)) {
    length += Buffer.byteLength(piece)
    await pauseIfDue()
  }
  const frame = Buffer.allocUnsafe(headerLength(length) + length)
  let at = writeHeader(frame, 0, length)
  frame.set(prefix, at)
  at += prefix.length
  for (const piece of piecesOf(text)) {
    at += frame.write(piece, at, 'utf8')
    await pauseIfDue()
  }
  frame[at] = SUFFIX
  return frame
}

function prefixOf(id: string): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`, 'utf8')
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = TEXT
  if (length < 126) {
    frames[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    frames[at + 1] = 126
    return frames.writeUInt16BE(length, at + 2)
  }
  frames[at + 1] = 127
  frames.writeUInt32BE(Math.floor(length / 2 ** 32), at + 2)
  return frames.writeUInt32BE(length >>> 0, at + 6)
}
