import postgres from 'postgres'
import { ADVANCE_CHANNEL, EXCHANGE_CHANNEL, INSTANCE_CHANNEL } from './channels.js'
import { connectionOptions } from './connection-options.js'

const CHANNELS = [ADVANCE_CHANNEL, EXCHANGE_CHANNEL, INSTANCE_CHANNEL]

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

/**
 * Wakes listeners when some gateway has moved the head. A wake-up carries nothing and may be lost while the
 * connection is; so after every (re)connect the listeners are woken too, to read the log by their cursor.
 *
 * The driver would re-subscribe by itself, but it gives up where the server is not back at once: each
 * connection here is a client of its own, and its end begins the next.
 */
export class Notifications {
  readonly #listeners = new Set<() => void>()
  readonly #exchange = new Set<(addressee: string | null) => void>()
  #instances: (entry: string | null) => void = () => {}
  readonly #databaseUrl: string
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl
    this.#running = this.#run()
  }

  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** On the same connection: who is to look; null after a (re)connect, when anything may have been missed. */
  onExchange(listener: (addressee: string | null) => void): () => void {
    this.#exchange.add(listener)
    return () => this.#exchange.delete(listener)
  }

  /** On the same connection: whose instances have changed; null where it may be any entry's. */
  onInstances(listener: (entry: string | null) => void): void {
    this.#instances = listener
  }

  /** Wakes all; our own commits need no way round through the server. */
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

  #hear(channel: string, payload: string): void {
    if (channel === ADVANCE_CHANNEL) this.wake()
    else if (channel === EXCHANGE_CHANNEL) this.#call(payload)
    else if (channel === INSTANCE_CHANNEL) this.#instances(payload === '*' ? null : payload)
  }

  /** Until the connection ends; tells whether it ever listened. */
  async #listenOnce(): Promise<boolean> {
    let ended = () => {}
    const end = new Promise<void>((resolve) => {
      ended = resolve
    })
    const client = postgres({
      ...connectionOptions(this.#databaseUrl),
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      // Where the connection is cut while the driver asks for them, nobody listens to the promise that fails.
      fetch_types: false,
      connection: { application_name: 'cadastre listener' },
      onclose: () => ended(),
      onnotify: (channel: string, payload: string) => this.#hear(channel, payload),
    } as Parameters<typeof postgres>[0] & object)
    let listened = false
    try {
      this.#stop.signal.addEventListener('abort', ended, { once: true })
      // Not the driver's `listen`: it keeps the end of its connection to itself, and cut once more while it subscribes
      // anew it says nothing and hears nothing any more.
      await Promise.race([client.unsafe(CHANNELS.map((channel) => `LISTEN ${channel}`).join('; ')), end])
      // Anything may have been missed.
      this.wake()
      this.#call(null)
      this.#instances(null)
      listened = true
      await end
    } catch {
      // The server is not there: the next turn of the loop tries again, readers say so by themselves.
    } finally {
      this.#stop.signal.removeEventListener('abort', ended)
      await client.end({ timeout: 0 }).catch(() => {})
    }
    return listened
  }
}
