import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Reachable } from '../server-fixture.js'

export const QUERY = JSON.stringify({ query: '{ entry(id: "none:1") { id } }' })
export const HEAD = 'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

/** The head of a POST that announces so many bytes. */
export const announcing = (bytes: number) => `${HEAD}content-length: ${bytes}\r\n\r\n`

/** A connection that sends exactly the given bytes, and shows what comes back. */
export class RawClient {
  readonly socket: Socket
  readonly closed: Promise<void>
  received = ''

  /** @param allowHalfOpen - Keeps its own side open when the gateway has ended the connection */
  constructor(gateway: Reachable, allowHalfOpen = false) {
    this.socket = connect({ port: Number(new URL(gateway.endpoint).port), host: '127.0.0.1', allowHalfOpen })
    this.socket.on('error', () => undefined)
    this.socket.on('data', (data: Buffer) => {
      this.received += data.toString('latin1')
    })
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
  }

  async send(...pieces: (string | Buffer)[]): Promise<this> {
    if (this.socket.connecting) await once(this.socket, 'connect')
    for (const piece of pieces) await new Promise<void>((resolve) => this.socket.write(piece, () => resolve()))
    return this
  }

  get status(): number | null {
    const match = /^HTTP\/1\.1 (?:100 Continue\r\n\r\nHTTP\/1\.1 )?(\d+)/.exec(this.received)
    return match === null ? null : Number(match[1])
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** Shakes hands for a WebSocket and sends `connection_init`. */
export async function rawWebSocket(gateway: Reachable): Promise<RawClient> {
  const client = await new RawClient(gateway).send(
    'GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n' +
      'sec-websocket-protocol: graphql-transport-ws\r\n\r\n',
  )
  await client.send(frame('{"type":"connection_init"}'))
  return client
}

interface FrameOptions {
  /** 1 for the first frame of a message, 0 for the following ones, 9 for a ping. */
  readonly opcode?: number
  readonly isLast?: boolean
  /** Bytes to announce, if the frame is to be sent in part only. */
  readonly announced?: number
}

/** A masked frame of a client, with a mask of zeros. */
export function frame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = 1, isLast = true, announced = Buffer.byteLength(payload) } = options
  const first = (isLast ? 0x80 : 0) | opcode
  const header =
    announced < 126
      ? Buffer.from([first, 0x80 | announced])
      : Buffer.concat([Buffer.from([first, 0x80 | 127, 0, 0, 0, 0]), uint32(announced)])
  return Buffer.concat([header, Buffer.alloc(4), Buffer.from(payload)])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
