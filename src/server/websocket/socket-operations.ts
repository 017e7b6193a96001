import { requestError } from '../pipeline/request-error.js'

/** What may wait on one socket for operations to end, in characters of its messages. */
const MOST_WAITING = 1024 * 1024

interface Message {
  readonly content: object
  readonly size: number
}

/**
 * A client may use an id again right after its `complete`, while the operation it named before is still ending
 * here. graphql-ws 6.4.2 takes the two for one: it tells the second that it has ended, forgets it, and goes on
 * sending for it, so that nothing can end it. Here what is said of an id waits until its last operation is over.
 */
export class SocketOperations {
  /** By id, until the operation has ended, also where its client has let go of it. */
  readonly #running = new Map<string, Promise<void>>()
  /** By id of an operation that is ending: what has been said since. */
  #waiting: Map<string, Message[]> | null = null
  #waitingSize = 0

  constructor(private readonly handle: (message: object) => Promise<void>) {}

  /** Operations under way. */
  get size(): number {
    return this.#running.size
  }

  /** Handles a message of so many characters in its turn. @throws whatever handling it throws, and where too much waits */
  async take(content: object, size: number): Promise<void> {
    const { type, id } = content as { readonly type?: unknown; readonly id?: unknown }
    if (typeof id !== 'string' || (type !== 'subscribe' && type !== 'complete')) return this.handle(content)
    const waiting = this.#waiting?.get(id)
    if (waiting === undefined) return type === 'subscribe' ? this.#subscribe(id, content) : this.#complete(id, content)
    if (this.#waitingSize + size > MOST_WAITING)
      throw requestError('BAD_USER_INPUT', 'too much waits for an operation to end')
    this.#waitingSize += size
    waiting.push({ content, size })
  }

  async #subscribe(id: string, content: object): Promise<void> {
    const run = this.handle(content)
    // An id that is in use: the socket is being closed.
    if (this.#running.has(id)) return run
    this.#running.set(id, run)
    try {
      await run
    } finally {
      this.#running.delete(id)
    }
  }

  async #complete(id: string, content: object): Promise<void> {
    const run = this.#running.get(id)
    if (run === undefined) return this.handle(content)
    const since: Message[] = []
    // Seldom needed, and ten thousand sockets may be open.
    const ending = (this.#waiting ??= new Map())
    ending.set(id, since)
    try {
      await this.handle(content)
      // Its failure is told by who began it.
      await run.catch(() => undefined)
    } finally {
      ending.delete(id)
      this.#running.delete(id)
    }
    for (const { size } of since) this.#waitingSize -= size
    await Promise.all(since.map(({ content: next, size }) => this.take(next, size)))
  }
}
