import type http from 'node:http'
import pRetry from 'p-retry'
import { pause } from '../../registry/async/pause.js'
import { ACCEPTED_CODINGS } from './body-decoders.js'
import { HttpFailure } from './http-failure.js'
import { type HttpAnswer, httpGet } from './http-get.js'
import type { HttpLimits } from './http-limits.js'
import { nextLink, resolved, shownOrigin } from './next-link.js'
import { retryAfterMs } from './retry-after.js'

export interface PageRequest {
  readonly url: URL
  /** ETag of the known page. Null requests the page unconditionally. */
  readonly etag: string | null
  /** Headers with the credentials. */
  readonly headers: Readonly<Record<string, string>>
  readonly agent: http.Agent
  readonly limits: HttpLimits
  readonly signal: AbortSignal
}

export type FetchedPage =
  | PageContent
  | {
      readonly unmodified: true
      /** Undefined if the response has no information about it. */
      readonly next: URL | null | undefined
    }

export interface PageContent {
  readonly body: Buffer
  readonly contentType: string | undefined
  readonly etag: string | null
  readonly modifiedAt: Date | null
  /** Null if the response declares that no page follows, undefined if it has no information about it. */
  readonly next: URL | null | undefined
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** Statuses for which a retry may succeed. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * Fetches a page, with retries. The delays grow exponentially with jitter, and are never shorter than `Retry-After`.
 * Permanent failures are not retried.
 * @throws HttpFailure; the signal's reason
 */
export async function fetchPage(request: PageRequest): Promise<FetchedPage> {
  const { limits, signal } = request
  const isWorthIt = (error: Error) =>
    error instanceof HttpFailure && error.transient && (error.retryAfterMs ?? 0) <= limits.longestWaitMs
  return pRetry(() => fetchOnce(request), {
    retries: limits.retries,
    minTimeout: limits.firstRetryMs,
    maxTimeout: limits.longestRetryMs,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => isWorthIt(error),
    async onFailedAttempt({ error, retriesLeft }) {
      if (retriesLeft > 0 && isWorthIt(error)) await pause((error as HttpFailure).retryAfterMs ?? 0, signal)
    },
  })
}

async function fetchOnce({ url, etag, headers, agent, limits, signal }: PageRequest): Promise<FetchedPage> {
  const sent = {
    accept: 'application/json',
    'accept-encoding': ACCEPTED_CODINGS,
    'user-agent': 'cadastre',
    ...headers,
    ...(etag !== null && { 'if-none-match': etag }),
  }
  let at = url
  for (let hops = 0; ; hops++) {
    const answer = await httpGet(at, { headers: sent, agent, limits, signal })
    if (!REDIRECTS.has(answer.status)) return pageOf(answer, at, etag !== null)
    if (hops === limits.redirects) throw new HttpFailure(`it redirects more than ${limits.redirects} times`, false)
    at = redirectedTo(answer, at)
  }
}

/**
 * Redirects to another origin are refused, because they would receive the credentials, and only the configured origin
 * is trusted.
 */
function redirectedTo({ status, headers }: HttpAnswer, from: URL): URL {
  const to = headers.location === undefined ? undefined : resolved(headers.location, from)
  if (to === undefined) throw new HttpFailure(`it answered ${status} without a valid Location header`, false)
  if (to.origin !== from.origin)
    throw new HttpFailure(`it redirects to another origin, ${shownOrigin(to)}. To follow it, configure that URL`, false)
  to.username = ''
  to.password = ''
  return to
}

function pageOf({ status, headers, body }: HttpAnswer, url: URL, wasConditional: boolean): FetchedPage {
  // Repeated headers arrive joined by commas.
  const link = headers.link === undefined ? undefined : String(headers.link)
  if (status === 304 && wasConditional) return { unmodified: true, next: nextLink(link, url) }
  if (status !== 200) throw statusFailure(status, headers)
  const modified = Date.parse(headers['last-modified'] ?? '')
  return {
    body,
    contentType: headers['content-type'],
    etag: headers.etag ?? null,
    modifiedAt: Number.isNaN(modified) ? null : new Date(modified),
    next: nextLink(link, url),
  }
}

function statusFailure(status: number, headers: http.IncomingHttpHeaders): HttpFailure {
  const hint =
    status === 401 || status === 403 ? ': check auth' : status === 404 || status === 410 ? ': check the url' : ''
  return new HttpFailure(
    `it answered ${status}${hint}`,
    TRANSIENT_STATUSES.has(status),
    TRANSIENT_STATUSES.has(status) ? retryAfterMs(headers['retry-after'], Date.now()) : null,
  )
}
