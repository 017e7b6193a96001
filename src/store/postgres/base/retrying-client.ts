import { RegistryError } from '../../../core/errors/registry-error.js'
import { openPool, type SessionSettings, type Sql } from './open-pool.js'
import { isConnectionFailure, toRegistryError } from './postgres-errors.js'

export interface RetryingClientOptions {
  readonly databaseUrl: string
  readonly connections: number
  readonly timeoutMs: number
  /** Settings of the sessions, besides the usual ones. */
  readonly settings?: SessionSettings
  /** Called when a connection has broken or the server has not answered: after that, another server may answer. */
  readonly onConnectionLost?: () => void
}

/** Pause before a query is tried again on a new connection. */
const RETRY_PAUSE_MS = 50
/**
 * @bound Extra time after a read's deadline before the gateway gives up on the server. Postgres itself cancels slow
 * statements. This time ends reads of a server that does not answer.
 */
const GRACE_MS = 1_000

/**
 * Settings for joins that look up one index row for each row of a short list. A plan that was made while a table was
 * small, or before it had statistics, would read the whole table. That takes 19 ms instead of 0.3 for one entry of
 * 100,000.
 */
export const INDEX_LOOKUPS = { enable_hashjoin: 'off', enable_mergejoin: 'off' } as const

/**
 * A connection pool in which every call settles. In the driver's own pool, a query on a backend that froze or died can
 * wait forever. So each call has a deadline, after which the whole pool is replaced.
 */
export class RetryingClient {
  #pool: Sql
  readonly #options: RetryingClientOptions
  #closed = false

  constructor(options: RetryingClientOptions) {
    this.#options = options
    this.#pool = this.#open()
  }

  /**
   * Runs a query, and repeats it if the connection breaks, until the deadline. So the query must be safe to repeat.
   * @throws RegistryError UNAVAILABLE, TIMEOUT
   */
  async run<T>(query: (sql: Sql) => Promise<T>, timeoutMs = this.#options.timeoutMs): Promise<T> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      if (this.#closed) throw new RegistryError('UNAVAILABLE', 'The store is closing.')
      try {
        return await this.#race(query, deadline + GRACE_MS - performance.now())
      } catch (error) {
        if (isConnectionFailure(error)) this.#options.onConnectionLost?.()
        if (!isConnectionFailure(error) || performance.now() + RETRY_PAUSE_MS > deadline) throw toRegistryError(error)
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#pool.end({ timeout: 2 })
  }

  #open(): Sql {
    const { databaseUrl, connections, timeoutMs, settings } = this.#options
    return openPool(databaseUrl, {
      connections,
      settings: { statement_timeout: timeoutMs, ...INDEX_LOOKUPS, ...settings },
    })
  }

  async #race<T>(query: (sql: Sql) => Promise<T>, ms: number): Promise<T> {
    const pool = this.#pool
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          this.#giveUp(pool)
          reject(new RegistryError('TIMEOUT', 'The store did not answer in time. Try again.'))
        },
        Math.max(1, ms),
      )
    })
    try {
      return await Promise.race([query(pool), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #giveUp(pool: Sql): void {
    if (this.#pool !== pool || this.#closed) return
    this.#options.onConnectionLost?.()
    this.#pool = this.#open()
    // Ending the pool may wait for the backend that does not answer.
    void pool.end({ timeout: 1 }).catch(() => {})
  }
}
