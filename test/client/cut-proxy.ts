import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy in front of a gateway, whose connections a test can cut. */
export interface CutProxy {
  readonly url: string
  /** The port that new connections go to; null refuses them. */
  target: number | null
  /** Cuts all connections. */
  cut(): void
  close(): void
}

export async function cutProxy(endpoint: string): Promise<CutProxy> {
  const sockets = new Set<Socket>()
  const proxy = { target: Number(new URL(endpoint).port) as number | null }
  const server = createServer((client) => {
    if (proxy.target === null) return void client.destroy()
    const upstream = connect(proxy.target, '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    cut,
    close() {
      cut()
      server.close()
    },
  })
}
