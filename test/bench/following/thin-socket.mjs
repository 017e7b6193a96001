// A WebSocket client that costs almost nothing, so that ten million frames can be counted beside the server that sends them.
// It finds the ends of frames and passes their bytes on unchanged.
import { connect } from 'node:net'

export class ThinSocket {
  #rest = null
  #upgraded = false

  /**
   * @param onFrame receives (bytes, start, end) of each text frame; the bytes are overwritten afterwards
   * @param onEnd receives the reason if the server ends the connection
   */
  constructor(port, path, onFrame, onEnd = () => undefined) {
    this.onFrame = onFrame
    this.onEnd = onEnd
    this.socket = connect(port, '127.0.0.1')
    this.socket.setNoDelay(true)
    this.closed = new Promise((resolve) => this.socket.once('close', resolve))
    this.socket.on('error', (error) => onEnd(error.message))
    this.socket.on('end', () => onEnd('the connection ended'))
    this.opened = new Promise((resolve) => {
      this.resolveOpened = resolve
    })
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n` +
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    )
    this.socket.on('data', (bytes) => this.#take(bytes))
  }

  send(message) {
    this.#write(0x81, Buffer.from(JSON.stringify(message)))
  }

  #write(type, payload) {
    // A mask of zeros leaves the bytes unchanged.
    const head =
      payload.length < 126
        ? Buffer.from([type, 0x80 | payload.length, 0, 0, 0, 0])
        : Buffer.from([type, 0xfe, payload.length >> 8, payload.length & 255, 0, 0, 0, 0])
    this.socket.write(Buffer.concat([head, payload]))
  }

  #take(came) {
    const bytes = this.#rest === null ? came : Buffer.concat([this.#rest, came])
    this.#rest = null
    let at = 0
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) {
        this.#rest = bytes
        return
      }
      this.#upgraded = true
      at = end + 4
      this.resolveOpened()
    }
    while (at + 2 <= bytes.length) {
      let length = bytes[at + 1] & 127
      let start = at + 2
      if (length === 126) {
        if (bytes.length < at + 4) break
        length = bytes.readUInt16BE(at + 2)
        start = at + 4
      } else if (length === 127) {
        if (bytes.length < at + 10) break
        length = bytes.readUInt32BE(at + 6)
        start = at + 10
      }
      if (bytes.length < start + length) break
      const type = bytes[at] & 15
      if (type === 1) this.onFrame(bytes, start, start + length)
      else if (type === 9) this.#write(0x8a, Buffer.from(bytes.subarray(start, start + length)))
      else if (type === 8)
        this.onEnd(
          length < 2 ? 'closed' : `${bytes.readUInt16BE(start)} ${bytes.toString('utf8', start + 2, start + length)}`,
        )
      at = start + length
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at))
  }
}
