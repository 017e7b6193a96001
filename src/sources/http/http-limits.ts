import { REGISTRY_LIMITS } from '../../registry/create-registry.js'

/** How long and how much one HTTP source may take. */
export interface HttpLimits {
  readonly connectMs: number
  /** From the connection to the head of the answer. */
  readonly headersMs: number
  /** Between two pieces of a body. */
  readonly idleMs: number
  /** A whole body: one that comes byte by byte is never idle. */
  readonly bodyMs: number
  /** Of a page, as sent and as unpacked. */
  readonly bodyBytes: number
  readonly pages: number
  /** Of one entry's meta and data, as for any write. */
  readonly entryBytes: number
  readonly redirects: number
  /** Further tries of a page that failed in passing. */
  readonly retries: number
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  /** What a server may have us wait within one look at the source. */
  readonly longestWaitMs: number
  /** What it may have us leave it alone for. */
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
