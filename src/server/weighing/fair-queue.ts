import type { QueuedClient } from '../pipeline/queued-client.js'

export interface FairQueueLimits {
  /** Work that runs at once, each of another group. */
  readonly slots: number
  readonly waiting: number
  readonly waitingOfGroup: number
  /** Called after each work with its duration. A slot is free once the promise resolves. */
  readonly rest?: (ms: number) => Promise<void> | undefined
}

/** Thrown if too much work is waiting already. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull'

  constructor(readonly isOwnGroup: boolean) {
    super('too much work is waiting')
  }
}

/** Thrown if the signal aborts before the work has begun. */
export class LeftQueue extends Error {
  override readonly name = 'LeftQueue'
}

type Start = () => void

interface Group {
  running: number
  waiting: number
  /** In the order of their turns. None is empty. */
  readonly connections: Map<object, Start[]>
}

/**
 * Runs work of many clients, a little of it at once. A client with much work waits behind its own work, not in front of
 * others: the groups take turns, and in each group its connections. Work whose signal aborts while it waits never begins.
 */
export class FairQueue {
  #running = 0
  #waiting = 0
  /** In the order of their turns. */
  readonly #groups = new Map<string, Group>()

  constructor(private readonly limits: FairQueueLimits) {}

  get waiting(): number {
    return this.#waiting
  }

  get running(): number {
    return this.#running
  }

  /**
   * Runs work as soon as it is its client's turn. The slot is taken until the work has settled, even if nobody awaits it
   * any more: otherwise clients that come and go would pile up work.
   * @throws QueueFull, LeftQueue, or what `work` throws
   */
  async run<Result>(
    { group: name, connection }: QueuedClient,
    signal: AbortSignal,
    work: () => Promise<Result> | Result,
  ): Promise<Result> {
    if (signal.aborted) throw new LeftQueue()
    const group = this.#groups.get(name) ?? { running: 0, waiting: 0, connections: new Map<object, Start[]>() }
    if (this.#running < this.limits.slots && group.running === 0) {
      this.#groups.set(name, group)
      this.#begin(group)
    } else await this.#wait(name, group, connection, signal)
    const since = performance.now()
    try {
      return await work()
    } finally {
      void this.#end(name, group, performance.now() - since)
    }
  }

  #wait(name: string, group: Group, connection: object, signal: AbortSignal): Promise<void> {
    if (group.waiting >= this.limits.waitingOfGroup) throw new QueueFull(true)
    if (this.#waiting >= this.limits.waiting) throw new QueueFull(false)
    this.#groups.set(name, group)
    const own = group.connections.get(connection) ?? []
    group.connections.set(connection, own)
    group.waiting += 1
    this.#waiting += 1
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        own.splice(own.indexOf(start), 1)
        if (own.length === 0) group.connections.delete(connection)
        group.waiting -= 1
        this.#waiting -= 1
        this.#forget(name, group)
        reject(new LeftQueue())
      }
      own.push(start)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #begin(group: Group): void {
    this.#running += 1
    group.running += 1
  }

  async #end(name: string, group: Group, ms: number): Promise<void> {
    await this.limits.rest?.(ms)
    this.#running -= 1
    group.running -= 1
    // Also behind those that came while it ran.
    this.#groups.delete(name)
    if (group.waiting > 0 || group.running > 0) this.#groups.set(name, group)
    for (const candidate of this.#groups.values()) {
      if (this.#running >= this.limits.slots) return
      if (candidate.running === 0 && candidate.waiting > 0) this.#startNext(candidate)
    }
  }

  #startNext(group: Group): void {
    const [connection, waiting] = group.connections.entries().next().value!
    const start = waiting.shift()!
    group.connections.delete(connection)
    if (waiting.length > 0) group.connections.set(connection, waiting)
    group.waiting -= 1
    this.#waiting -= 1
    this.#begin(group)
    start()
  }

  #forget(name: string, { running, waiting }: Group): void {
    if (running === 0 && waiting === 0) this.#groups.delete(name)
  }
}
