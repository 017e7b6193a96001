import { requestError } from '../pipeline/request-error.js'

/** @bound Characters of the messages of one socket that may wait for operations to end. */
const MAX_WAITING = 1024 * 1024

interface Message {
  readonly content: object
  readonly size: number
}

/** Messages about one id that wait for an operation to end. */
interface Waiting {
  readonly messages: Message[]
  /** Whether an operation will be running when all of them have been handled. */
  subscribes: boolean
}

/**
 * Serializes the messages about one operation id. A client may reuse an id right after its `complete`, while the old
 * operation is still ending here. graphql-ws 6.4.2 confuses the two. It completes the new one, forgets it and keeps
 * sending its results, so nothing can end it. So messages about an id wait until its previous operation is over.
 */
export class SocketOperations {
  /** By id, until the operation has ended or its client has completed it. */
  readonly #running = new Map<string, Promise<void>>()
  /** By the id of an operation that is ending. */
  #waiting: Map<string, Waiting> | null = null
  #waitingSize = 0
  /** By id, of the operations that can be cancelled. */
  readonly #cancelling = new Map<string, AbortController>()
  /** Operations that wait to begin. */
  #waitingOperations = 0

  constructor(private readonly handle: (message: object) => Promise<void>) {}

  /** Number of operations that the client has begun and not completed. */
  get open(): number {
    return this.#running.size + this.#waitingOperations
  }

  /** Number of operations that the client has completed and that have not ended yet. */
  get ending(): number {
    return this.#waiting?.size ?? 0
  }

  /** Returns a signal that aborts when the client completes an operation, or its socket closes (`cancelAll`). */
  signalOf(id: string): AbortSignal {
    const known = this.#cancelling.get(id) ?? new AbortController()
    this.#cancelling.set(id, known)
    return known.signal
  }

  cancelAll(): void {
    for (const cancelling of this.#cancelling.values()) cancelling.abort('the client is gone')
    this.#cancelling.clear()
  }

  /**
   * Handles a message after those that it must wait for.
   * @param size - Characters of the message
   * @throws GraphQLError BAD_USER_INPUT if too many messages wait, and any error of handling
   */
  async take(content: object, size: number): Promise<void> {
    const { type, id } = content as { readonly type?: unknown; readonly id?: unknown }
    if (typeof id !== 'string' || (type !== 'subscribe' && type !== 'complete')) return this.handle(content)
    const waiting = this.#waiting?.get(id)
    if (waiting === undefined) return type === 'subscribe' ? this.#subscribe(id, content) : this.#complete(id, content)
    if (this.#waitingSize + size > MAX_WAITING)
      throw requestError('BAD_USER_INPUT', 'Too many messages wait for an operation to end.')
    this.#waitingSize += size
    waiting.messages.push({ content, size })
    this.#setSubscribes(waiting, type === 'subscribe')
  }

  async #subscribe(id: string, content: object): Promise<void> {
    const run = this.handle(content)
    // The id is in use, so graphql-ws closes the socket.
    if (this.#running.has(id)) return run
    this.#running.set(id, run)
    try {
      await run
    } finally {
      this.#running.delete(id)
      this.#cancelling.delete(id)
    }
  }

  async #complete(id: string, content: object): Promise<void> {
    const run = this.#running.get(id)
    if (run === undefined) return this.handle(content)
    const since: Waiting = { messages: [], subscribes: false }
    // Created on demand, because it is rarely needed and 10,000 sockets may be open.
    const ending = (this.#waiting ??= new Map())
    ending.set(id, since)
    // The client can begin another operation now, although this one still has to end here.
    this.#running.delete(id)
    try {
      const handled = this.handle(content)
      // graphql-ws has forgotten the operation now, and sends nothing about it any more.
      this.#cancelling.get(id)?.abort('the client has completed the operation')
      await handled
      // The caller of #subscribe handles its failure.
      await run.catch(() => undefined)
    } finally {
      ending.delete(id)
      this.#setSubscribes(since, false)
    }
    for (const { size } of since.messages) this.#waitingSize -= size
    await Promise.all(since.messages.map(({ content: next, size }) => this.take(next, size)))
  }

  #setSubscribes(waiting: Waiting, subscribes: boolean): void {
    this.#waitingOperations += Number(subscribes) - Number(waiting.subscribes)
    waiting.subscribes = subscribes
  }
}
