import { RegistryError } from '../../../core/errors/registry-error.js'

export interface BatchLimits {
  /** Of one group; a single request may be larger. */
  readonly requests: number
  readonly bytes: number
  /** Of all that wait. */
  readonly waitingRequests: number
  readonly waitingBytes: number
  readonly waitMs: number
}

export const BATCH_LIMITS: BatchLimits = {
  /** @bound Acquires, renewals or releases in one statement. */
  requests: 500,
  bytes: 4 * 1024 * 1024,
  /** @bound Instance requests of one type that wait. */
  waitingRequests: 20_000,
  /** @bound Size of the instance requests of one type that wait. */
  waitingBytes: 64 * 1024 * 1024,
  /** @bound Time that an instance request waits. */
  waitMs: 10_000,
}

interface Waiting<Request, Answer> {
  readonly request: Request
  readonly bytes: number
  readonly since: number
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** What is answered of a request whose row somebody else had locked: it goes into a later group. */
export const BUSY = Symbol('busy')
const BUSY_PAUSE_MS = 10

/**
 * Small writes that go together: whoever waits while one statement is under way shares the next, and its fsync.
 * No two of one key are in one group. One writer alone waits for nobody.
 */
export class RequestBatcher<Request, Answer> {
  #waiting: Waiting<Request, Answer>[] = []
  #bytes = 0
  #isRunning = false

  constructor(
    /** Answers in the order of the requests. */
    private readonly write: (requests: readonly Request[]) => Promise<readonly (Answer | typeof BUSY)[]>,
    private readonly keyOf: (request: Request) => string,
    private readonly limits: BatchLimits = BATCH_LIMITS,
  ) {}

  /** @throws RegistryError UNAVAILABLE (not written), or what `write` throws */
  ask(request: Request, bytes = 0): Promise<Answer> {
    if (this.#waiting.length >= this.limits.waitingRequests || this.#bytes + bytes > this.limits.waitingBytes) {
      return Promise.reject(unavailable('too many others wait'))
    }
    return new Promise((resolve, reject) => {
      this.#add([{ request, bytes, since: performance.now(), resolve, reject }])
      if (!this.#isRunning) void this.#run()
    })
  }

  #add(waiting: readonly Waiting<Request, Answer>[]): void {
    this.#waiting.push(...waiting)
    for (const { bytes } of waiting) this.#bytes += bytes
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // Those who came in the same turn go together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const group = this.#take()
      const isAllBusy = group.length > 0 && (await this.#answer(group))
      if (isAllBusy) await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS))
    }
    this.#isRunning = false
  }

  #take(): Waiting<Request, Answer>[] {
    const group: Waiting<Request, Answer>[] = []
    const left: Waiting<Request, Answer>[] = []
    const keys = new Set<string>()
    let bytes = 0
    for (const each of this.#waiting) {
      if (performance.now() - each.since > this.limits.waitMs) {
        this.#bytes -= each.bytes
        each.reject(unavailable(`it was not its turn within ${this.limits.waitMs / 1_000} seconds`))
        continue
      }
      const key = this.keyOf(each.request)
      const fits =
        group.length === 0 || (group.length < this.limits.requests && bytes + each.bytes <= this.limits.bytes)
      if (!fits || keys.has(key)) {
        left.push(each)
        continue
      }
      group.push(each)
      keys.add(key)
      bytes += each.bytes
      this.#bytes -= each.bytes
    }
    this.#waiting = left
    return group
  }

  /** Never throws. Whether all of them were busy. */
  async #answer(group: readonly Waiting<Request, Answer>[]): Promise<boolean> {
    try {
      const answers = await this.write(group.map(({ request }) => request))
      const busy = group.filter((_, i) => answers[i] === BUSY)
      for (const [i, { resolve }] of group.entries()) {
        const answer = answers[i]
        if (answer !== BUSY) resolve(answer as Answer)
      }
      this.#add(busy)
      return busy.length === group.length
    } catch (error) {
      for (const { reject } of group) reject(error)
      return false
    }
  }
}

function unavailable(why: string): RegistryError {
  return new RegistryError('UNAVAILABLE', `nothing was done: ${why}; try again`)
}
