import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Queue {
  running: number
  readonly waiting: (() => void)[]
}

/**
 * Bounds the requests of one connection that are executed at the same time. Node parses every request that a client
 * sends ahead without waiting for its responses, and would execute all of them at once.
 */
export class Pipelining {
  readonly #queues = new WeakMap<Socket, Queue>()

  constructor(private readonly most: number) {}

  /** Calls `handle` as soon as fewer requests of the connection are being executed. */
  run({ socket }: IncomingMessage, response: ServerResponse, handle: () => void): void {
    let queue = this.#queues.get(socket)
    if (queue === undefined) this.#queues.set(socket, (queue = { running: 0, waiting: [] }))
    const { waiting } = queue
    const start = () => {
      queue.running += 1
      response.once('close', () => {
        queue.running -= 1
        waiting.shift()?.()
        if (waiting.length === 0) socket.resume()
      })
      handle()
    }
    if (queue.running < this.most) return start()
    waiting.push(start)
    socket.pause()
  }
}
