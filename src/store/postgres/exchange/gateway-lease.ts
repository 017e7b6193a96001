import { randomUUID } from 'node:crypto'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type { DrizzleClient } from '../base/drizzle-client.js'
import { endLease, renewLease, takeLease } from './peer-queries.js'

/**
 * @bound Interval at which a gateway with anything open checks its mailbox and peers, because a notification may be
 * lost. A lease lasts five of them.
 */
const TICK_MS = 1_000
/** How long a lease is renewed after its last use, because transactions often follow one another. */
const LINGER_MS = 10_000
/** @bound Time for giving back a gateway's lease when it stops. */
const END_MS = 1_000

export interface LeaseUser {
  isNeeded(): boolean
  listens(): boolean
  /** Called once a second while the lease is held. */
  tick(): Promise<unknown>
  /** Another gateway considered this one dead and removed its row, with everything attached to it. */
  lost(error: Error): void
}

/**
 * Holds this gateway's lease: a row that shows other gateways that this one is alive. The row exists only while
 * something is open here.
 */
export class GatewayLease {
  /** A new id each time the lease is taken. */
  #id: string = randomUUID()
  #held: Promise<void> | null = null
  #isHeld = false
  #ended = false
  #lastUse = 0
  #stop: () => void = () => {}
  #running: Promise<void> = Promise.resolve()

  constructor(
    private readonly client: DrizzleClient,
    private readonly user: LeaseUser,
  ) {}

  get id(): string {
    return this.#id
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Takes the lease, which is then renewed for as long as it is needed. @throws RegistryError UNAVAILABLE, TIMEOUT */
  hold(): Promise<void> {
    this.#lastUse = performance.now()
    if (this.#ended) return Promise.reject(new RegistryError('UNAVAILABLE', 'The gateway is stopping'))
    return (this.#held ??= this.#take())
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#stop()
    await this.#held?.catch(() => {})
    this.#stop()
    await this.#running
  }

  async #take(): Promise<void> {
    try {
      await this.client.run((database) => takeLease(database, this.#id, this.user.listens()))
    } catch (error) {
      this.#held = null
      throw error
    }
    this.#isHeld = true
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    const id = this.#id
    while (!this.#ended && (this.user.isNeeded() || performance.now() - this.#lastUse < LINGER_MS)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, TICK_MS)
        this.#stop = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (this.#ended) break
      try {
        if (!(await this.client.run((database) => renewLease(database, id)))) {
          await this.#lose()
          return
        }
        await this.user.tick()
      } catch {
        // The store is unavailable. The next tick tries again.
      }
    }
    this.#release()
    // If the store is unreachable, the lease ends by itself.
    await this.client.run((database) => endLease(database, id), END_MS).catch(() => {})
  }

  #release(): void {
    this.#isHeld = false
    this.#held = null
    this.#id = randomUUID()
  }

  async #lose(): Promise<void> {
    this.#release()
    this.user.lost(
      new RegistryError('UNAVAILABLE', 'Other gateways could not reach this one for a while. Subscribe again.'),
    )
    if (this.user.isNeeded()) await this.hold().catch(() => {})
  }
}
