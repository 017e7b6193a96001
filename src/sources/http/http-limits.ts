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
  connectMs: 5_000,
  headersMs: 30_000,
  idleMs: 15_000,
  bodyMs: 120_000,
  bodyBytes: 32 * 1024 * 1024,
  pages: 10_000,
  entryBytes: REGISTRY_LIMITS.entryBytes,
  redirects: 5,
  retries: 4,
  firstRetryMs: 500,
  longestRetryMs: 10_000,
  longestWaitMs: 60_000,
  longestQuietMs: 3_600_000,
}
