import { randomUUID } from 'node:crypto'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { endLease, renewLease, takeLease } from './exchange-sql.js'

/**
 * @bound Interval at which a gateway with anything open checks its mailbox and peers, because a notification may be
 * lost. A lease lasts five of them.
 */
const TICK_MS = 1_000
/** Kept that long after its last use: transactions come one after the other. */
const LINGER_MS = 10_000
const END_MS = 1_000

export interface LeaseUser {
  isNeeded(): boolean
  listens(): boolean
  /** Once a second while the lease is held. */
  tick(): Promise<unknown>
  /** Others held this gateway for dead and removed what hung on it. */
  lost(error: Error): void
}

/** This gateway's row, by which others know that it lives: there only while something is open here. */
export class GatewayLease {
  /** Another one for each time that the lease is taken. */
  #id: string = randomUUID()
  #held: Promise<void> | null = null
  #isHeld = false
  #ended = false
  #lastUse = 0
  #stop: () => void = () => {}
  #running: Promise<void> = Promise.resolve()

  constructor(
    private readonly client: RetryingClient,
    private readonly user: LeaseUser,
  ) {}

  get id(): string {
    return this.#id
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Resolves when the lease is held; it then is for as long as it is needed. @throws RegistryError UNAVAILABLE, TIMEOUT */
  hold(): Promise<void> {
    this.#lastUse = performance.now()
    if (this.#ended) return Promise.reject(new RegistryError('UNAVAILABLE', 'the gateway is stopping'))
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
      await this.client.run((sql) => takeLease(sql, this.#id, this.user.listens()))
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
        if (!(await this.client.run((sql) => renewLease(sql, id)))) {
          await this.#lose()
          return
        }
        await this.user.tick()
      } catch {
        // The store is away; the next tick tries again.
      }
    }
    this.#release()
    // Where the store cannot be reached, the lease ends by itself.
    await this.client.run((sql) => endLease(sql, id), END_MS).catch(() => {})
  }

  #release(): void {
    this.#isHeld = false
    this.#held = null
    this.#id = randomUUID()
  }

  async #lose(): Promise<void> {
    this.#release()
    this.user.lost(
      new RegistryError('UNAVAILABLE', 'this gateway could not be reached by the others for a while; subscribe anew'),
    )
    if (this.user.isNeeded()) await this.hold().catch(() => {})
  }
}
