import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy between a client and a Postgres server that counts statements. */
export interface StatementCounter {
  /** The URL of the database through the proxy. */
  readonly url: string
  statements: number
  /** The texts of the statements, in the order in which they were sent. */
  readonly texts: string[]
  close(): Promise<void>
}

const EXECUTE = 'E'.charCodeAt(0)
const SIMPLE_QUERY = 'Q'.charCodeAt(0)
const PARSE = 'P'.charCodeAt(0)
const BIND = 'B'.charCodeAt(0)

export async function countStatements(databaseUrl: string): Promise<StatementCounter> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    /** Texts by the name of their prepared statement. */
    const prepared = new Map<string, string>()
    let bound = ''
    const count = messageReader((type, body) => {
      const [first = '', second = ''] = body.toString().split('\0', 2)
      if (type === PARSE) prepared.set(first, second)
      else if (type === BIND) bound = prepared.get(second) ?? ''
      else if (type === EXECUTE || type === SIMPLE_QUERY) {
        counter.statements += 1
        counter.texts.push(type === EXECUTE ? bound : first)
      }
    })
    client.on('data', count)
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {
        client.destroy()
        upstream.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const counter: StatementCounter = {
    url: url.href,
    statements: 0,
    texts: [],
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
  return counter
}

/** Parses each message of a Postgres client. The first message has no type, only a length. */
function messageReader(hear: (type: number, body: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0)
  let started = false
  return (chunk) => {
    pending = Buffer.concat([pending, chunk])
    for (;;) {
      const head = started ? 1 : 0
      if (pending.length < head + 4) return
      const length = head + pending.readUInt32BE(head)
      if (pending.length < length) return
      if (started) hear(pending[0]!, pending.subarray(5, length))
      started = true
      pending = pending.subarray(length)
    }
  }
}
