import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** Headers that only concern the protocol to change to. */
const DROPPED: ReadonlySet<string> = new Set(['upgrade', 'http2-settings'])

/**
 * Answers a request over HTTP/1.1 whose upgrade the gateway does not know, such as `h2c`, as RFC 9110 (7.8) demands. Node
 * has handed the connection over by then, so it gets the same request again, without the upgrade.
 * @param head - What has arrived after the headers
 */
export function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const lowered = name.toLowerCase()
    if (DROPPED.has(lowered)) continue
    const value = lowered === 'connection' ? withoutDropped(rawHeaders[i + 1]!) : rawHeaders[i + 1]!
    if (value !== '' || lowered !== 'connection') lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
}

function withoutDropped(connection: string): string {
  return connection
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '' && !DROPPED.has(option.toLowerCase()))
    .join(', ')
}
