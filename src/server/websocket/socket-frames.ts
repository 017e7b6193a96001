/** First byte of a WebSocket frame: a whole text message. */
const TEXT = 0x81
const SUFFIX = 0x7d

/**
 * Writes results as messages of graphql-transport-ws, each a WebSocket frame (RFC 6455, unmasked as a server's are):
 * they differ between clients by the operation's id alone, so one text serves all, and many go in one write.
 */
export function nextFrames(id: string): (texts: readonly Buffer[]) => Buffer {
  const prefix = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`, 'utf8')
  return (texts) => {
    let size = 0
    for (const text of texts) {
      const length = prefix.length + text.length + 1
      size += headLength(length) + length
    }
    const frames = Buffer.allocUnsafe(size)
    let at = 0
    for (const text of texts) {
      at = writeHead(frames, at, prefix.length + text.length + 1)
      frames.set(prefix, at)
      frames.set(text, at + prefix.length)
      at += prefix.length + text.length
      frames[at++] = SUFFIX
    }
    return frames
  }
}

function headLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

function writeHead(frames: Buffer, at: number, length: number): number {
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
