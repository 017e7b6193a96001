import { REGISTRY_LIMITS } from '../../registry/create-registry.js'

/** Limits of one HTTP source. */
export interface HttpLimits {
  readonly connectMs: number
  /** From the connection to the response headers. */
  readonly headersMs: number
  /** Between two chunks of a body. */
  readonly idleMs: number
  /** For a whole body. A body that arrives byte by byte is never idle. */
  readonly bodyMs: number
  /** The size of a page, both as sent and as decoded. */
  readonly bodyBytes: number
  readonly pages: number
  /** The size of an entry's meta and data, as for any write. */
  readonly entryBytes: number
  readonly redirects: number
  /** Retries of a page after a transient failure. */
  readonly retries: number
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  /** The longest `Retry-After` that one scan waits for. */
  readonly longestWaitMs: number
  /** The longest `Retry-After` that is respected between scans. */
  readonly longestQuietMs: number
}

export const HTTP_LIMITS: HttpLimits = {
  /** @bound Time for connecting to an HTTP source. */
  connectMs: 5_000,
  /** @bound Time from the connection to the response headers. */
  headersMs: 30_000,
  /** @bound Time between two chunks of a page. */
  idleMs: 15_000,
  /** @bound Time for a whole page. A page that arrives byte by byte is never idle. */
  bodyMs: 120_000,
  /** @bound Size of a page, both as sent and as unpacked. */
  bodyBytes: 32 * 1024 * 1024,
  /** @bound Pages of one HTTP source. */
  pages: 10_000,
  entryBytes: REGISTRY_LIMITS.entryBytes,
  /** @bound Redirects of one page. */
  redirects: 5,
  /** @bound Retries of a page after a transient failure. */
  retries: 4,
  /** @bound Pause before the first retry. It doubles each time. */
  firstRetryMs: 500,
  /** @bound Longest pause between two retries. */
  longestRetryMs: 10_000,
  /** @bound Longest `Retry-After` that is waited for within one scan. */
  longestWaitMs: 60_000,
  /** @bound Longest time that a source is left alone because of a longer `Retry-After`. */
  longestQuietMs: 3_600_000,
}
