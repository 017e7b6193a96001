import { ADVANCE_CHANNEL, EXCHANGE_CHANNEL, INSTANCE_CHANNEL } from './channels.js'
import { openPool } from './open-pool.js'

const CHANNELS = [ADVANCE_CHANNEL, EXCHANGE_CHANNEL, INSTANCE_CHANNEL]

const FIRST_PAUSE_MS = 50
/** @bound Pause before the listener connects to Postgres again. */
const LONGEST_PAUSE_MS = 1_000

/**
 * Notifies listeners of this gateway when any gateway has moved the head or sent a message. A notification carries no
 * data and may be lost with the connection. So listeners are also notified after every (re)connect, and then read the
 * log from their cursor.
 *
 * The driver would subscribe again by itself, but gives up if the server is not back at once. Here each connection is a
 * client of its own, and the end of one opens the next.
 */
export class Notifications {
  readonly #listeners = new Set<() => void>()
  readonly #exchange = new Set<(addressee: string | null) => void>()
  #instances: (entry: string | null) => void = () => {}
  readonly #databaseUrl: string
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  /** @param onConnectionLost - called when the connection has ended, and again once there is a new one */
  constructor(
    databaseUrl: string,
    private readonly onConnectionLost: () => void = () => {},
  ) {
    this.#databaseUrl = databaseUrl
    this.#running = this.#run()
  }

  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Calls back with the addressee of a message. Calls back with null after a (re)connect, because messages may have
   * been missed.
   */
  onExchange(listener: (addressee: string | null) => void): () => void {
    this.#exchange.add(listener)
    return () => this.#exchange.delete(listener)
  }

  /** Calls back with the entry whose instances have changed, or with null if it may be any entry. */
  onInstances(listener: (entry: string | null) => void): void {
    this.#instances = listener
  }

  /**
   * Notifies the listeners of a head movement, because this gateway's own commits need no detour through the server.
   */
  wake(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #call(addressee: string | null): void {
    for (const listener of [...this.#exchange]) listener(addressee)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#listeners.clear()
    this.#exchange.clear()
    this.#instances = () => {}
    await this.#running
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS
    while (!this.#stop.signal.aborted) {
      const listened = await this.#listenOnce()
      pause = listened ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS)
      if (!this.#stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  #receive(channel: string, payload: string): void {
    if (channel === ADVANCE_CHANNEL) this.wake()
    else if (channel === EXCHANGE_CHANNEL) this.#call(payload)
    else if (channel === INSTANCE_CHANNEL) this.#instances(payload === '*' ? null : payload)
  }

  /** Listens until the connection ends. @returns whether it ever listened */
  async #listenOnce(): Promise<boolean> {
    let ended = () => {}
    const end = new Promise<void>((resolve) => {
      ended = resolve
    })
    const client = openPool(this.#databaseUrl, {
      connections: 1,
      settings: { application_name: 'cadastre listener' },
      driver: {
        idle_timeout: 0,
        max_lifetime: null,
        onclose: () => {
          this.onConnectionLost()
          ended()
        },
        onnotify: (channel: string, payload: string) => this.#receive(channel, payload),
      },
    })
    let listened = false
    try {
      this.#stop.signal.addEventListener('abort', ended, { once: true })
      // Not the driver's `listen`: it does not report the end of its connection, and if the connection is cut again while
      // it subscribes, it stays silent forever.
      await Promise.race([client.unsafe(CHANNELS.map((channel) => `LISTEN ${channel}`).join('; ')), end])
      this.onConnectionLost()
      // Notifications may have been missed.
      this.wake()
      this.#call(null)
      this.#instances(null)
      listened = true
      await end
    } catch {
      // The server is unavailable. The loop tries again, and readers report it by themselves.
    } finally {
      this.#stop.signal.removeEventListener('abort', ended)
      await client.end({ timeout: 0 }).catch(() => {})
    }
    return listened
  }
}
