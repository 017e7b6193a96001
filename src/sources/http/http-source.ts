import { createHash } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { pause } from '../../registry/async/pause.js'
import type { SourceFailure } from '../contract/source-failure.js'
import type { ScannedLocation, SourceReader } from '../contract/source-reader.js'
import { decodeText } from '../forms/decode-text.js'
import { type EntrySchemas, loadSchemas } from '../forms/entry-schemas.js'
import { failureText } from '../forms/parse-entries.js'
import { compileForm } from '../forms/source-form.js'
import type { ParsingRules } from '../parsing/parse-job.js'
import { ParsingThread } from '../parsing/parsing-thread.js'
import { type FetchedPage, fetchPage, type PageRequest } from './fetch-page.js'
import { HttpFailure } from './http-failure.js'
import { HTTP_LIMITS, type HttpLimits } from './http-limits.js'
import { authHeaders, type HttpSourceOptions } from './http-options.js'
import { type PageStamp, readPageStamp, writePageStamp } from './page-stamp.js'
import { urlRedactor } from './url-redactor.js'

const DEFAULT_POLL_SECONDS = 60
/** @bound Pages that exceeded the limits of parsing and are cached as such. Others are parsed again in each scan. */
const MAX_TOO_COSTLY = 100

/**
 * Reads an HTTP registry page by page. Its locations are the pages' URLs without secrets. If a page cannot be fetched,
 * the scan throws, because the pages after it are unknown, not deleted. The same holds for a page that cannot be read
 * and whose successor is unknown.
 * @param thread shared with other sources and closed by the caller; by default the source creates its own
 * @throws InvalidMapping
 */
export function openHttpSource(
  options: HttpSourceOptions,
  given: Partial<HttpLimits> = {},
  thread?: ParsingThread,
): SourceReader {
  return new HttpSource(options, { ...HTTP_LIMITS, ...given }, thread ?? new ParsingThread(), thread !== undefined)
}

class HttpSource implements SourceReader {
  readonly #first: URL
  readonly #agent: http.Agent
  readonly #nameOf: (url: URL) => string
  readonly #pollMs: number
  readonly #closing = new AbortController()
  #schemas: EntrySchemas | undefined
  #parsing: ParsingRules | undefined
  /** Failures of pages that exceeded the limits of parsing, by the digest of the body. */
  readonly #tooCostly = new Map<string, SourceFailure>()
  /** The successor of each page in the last complete scan, so that a broken page does not hide the pages after it. */
  #followedBy = new Map<string, string | null>()
  /** The time until which `Retry-After` forbids requests. */
  #quietUntil = 0

  constructor(
    readonly options: HttpSourceOptions,
    readonly limits: HttpLimits,
    readonly thread: ParsingThread,
    readonly isShared: boolean,
  ) {
    this.#first = new URL(options.url)
    compileForm(options.form ?? 'entry')
    this.#nameOf = urlRedactor(this.#first)
    this.#pollMs = (options.pollSeconds ?? DEFAULT_POLL_SECONDS) * 1_000
    const settings = { keepAlive: true, maxFreeSockets: 2 }
    this.#agent = this.#first.protocol === 'https:' ? new https.Agent(settings) : new http.Agent(settings)
  }

  async *scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncGenerator<ScannedLocation> {
    const ending = endingWith(signal, this.#closing.signal)
    try {
      yield* this.#scan(known, ending.signal)
    } finally {
      ending.done()
    }
  }

  async watch(changed: () => void, signal: AbortSignal): Promise<void> {
    const ending = endingWith(signal, this.#closing.signal)
    try {
      for (;;) {
        await pause(Math.max(this.#pollMs, this.#quietUntil - Date.now()), ending.signal)
        if (ending.signal.aborted) return
        changed()
      }
    } finally {
      ending.done()
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The source has been closed'))
    this.#agent.destroy()
    if (!this.isShared) await this.thread.close()
  }

  async *#scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncGenerator<ScannedLocation> {
    const schemas = await loadSchemas(this.options.schemas ?? {}, this.#schemas)
    if (schemas !== this.#schemas || this.#parsing === undefined) {
      this.#tooCostly.clear()
      this.#parsing = { form: this.options.form ?? 'entry', schemas: schemas.texts, entryBytes: this.limits.entryBytes }
    }
    this.#schemas = schemas
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([this.options.form ?? 'entry', schemas.fingerprint]))
      .digest('hex')
    const locations = new Set<string>()
    const followedBy = new Map<string, string | null>()
    /** The previous page if it was not modified. Its successor is then known only from its stamp. */
    let unmodified: URL | null = null
    let next: URL | null = this.#first
    while (next !== null) {
      const url: URL = next
      if (followedBy.has(url.href))
        throw new Error(`${this.#nameOf(url)}: the pages form a cycle, this one was read before`)
      const location = uniqueName(this.#nameOf(url), locations)
      if (followedBy.size === this.limits.pages)
        throw new Error(`${location}: there are more than ${this.limits.pages} pages`)
      const stamp = readPageStamp(known(location), fingerprint)
      let page: FetchedPage
      try {
        page = await this.#fetch(url, location, stamp?.etag ?? null, signal)
      } catch (error) {
        signal.throwIfAborted()
        const before: URL | null = unmodified
        unmodified = null
        if (before === null) throw error
        const instead: URL | null = (await this.#fetch(before, this.#nameOf(before), null, signal)).next ?? null
        if (instead?.href === url.href) throw error
        next = instead
        followedBy.set(before.href, next?.href ?? null)
        continue
      }
      locations.add(location)
      if ('unmodified' in page) {
        // A 304 need not repeat the Link header.
        unmodified = page.next instanceof URL ? null : url
        next = page.next instanceof URL ? page.next : stamp!.next === null ? null : new URL(stamp!.next)
        if (next === null) unmodified = null
        yield { location, unchanged: true }
      } else {
        unmodified = null
        const { scanned, bad } = await this.#read(page, location, fingerprint, this.#parsing, stamp, signal)
        next = page.next ?? null
        if (bad !== undefined && page.next === undefined) next = this.#after(url, stamp, bad)
        yield scanned
      }
      followedBy.set(url.href, next?.href ?? null)
    }
    this.#followedBy = followedBy
  }

  /** The successor of a page that cannot be read and does not name it. @throws Error if it is unknown */
  #after(url: URL, stamp: PageStamp | null, bad: SourceFailure): URL | null {
    const next = this.#followedBy.has(url.href) ? this.#followedBy.get(url.href)! : stamp?.next
    if (next === undefined) throw new Error(`${failureText(bad)}. It is unknown whether other pages follow`)
    return next === null ? null : new URL(next)
  }

  async #fetch(url: URL, location: string, etag: string | null, signal: AbortSignal): Promise<FetchedPage> {
    const wait = this.#quietUntil - Date.now()
    if (wait > 0)
      throw new Error(`${location}: the server's Retry-After forbids requests for ${Math.ceil(wait / 1_000)} s more`)
    const request: PageRequest = {
      url,
      etag,
      headers: authHeaders(this.options.auth),
      agent: this.#agent,
      limits: this.limits,
      signal,
    }
    try {
      return await fetchPage(request)
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error
      if (error.retryAfterMs !== null)
        this.#quietUntil = Date.now() + Math.min(error.retryAfterMs, this.limits.longestQuietMs)
      throw new Error(`${location}: ${error.message}`, { cause: error })
    }
  }

  /** `bad` is the failure of a page that cannot be read at all. */
  async #read(
    page: Exclude<FetchedPage, { unmodified: true }>,
    location: string,
    fingerprint: string,
    parsing: ParsingRules,
    known: PageStamp | null,
    signal: AbortSignal,
  ): Promise<{ scanned: ScannedLocation; bad?: SourceFailure }> {
    const { body, contentType, etag, modifiedAt } = page
    const stamp: PageStamp = {
      etag,
      next: page.next?.href ?? null,
      digest: createHash('sha256').update(body).digest('hex'),
    }
    if (known !== null && writePageStamp(known, fingerprint) === writePageStamp(stamp, fingerprint))
      return { scanned: { location, unchanged: true } }
    const given = { location, unchanged: false, stamp: writePageStamp(stamp, fingerprint), modifiedAt } as const
    const failed = (message: string, line: number | null = null, column: number | null = null) => {
      const bad = { file: location, line, column, entryId: null, message }
      return { scanned: { ...given, entries: [], failures: [bad] }, bad }
    }
    if (!/^application\/([\w.!#$&^-]+\+)?json *(;|$)/i.test(contentType ?? 'application/json')) {
      return failed(`the content is ${JSON.stringify(contentType!.slice(0, 100))}, not application/json`)
    }
    const decoded = decodeText(body)
    if (!('text' in decoded)) return failed('is not UTF-8 text', decoded.badLine)
    const before = this.#tooCostly.get(stamp.digest)
    if (before !== undefined) return { scanned: { ...given, entries: [], failures: [before] }, bad: before }
    const { entries, failures, isBad, isTooCostly } = await this.thread.parse(
      parsing,
      { type: 'page', location, text: decoded.text },
      { signal },
    )
    if (isTooCostly && this.#tooCostly.size < MAX_TOO_COSTLY) this.#tooCostly.set(stamp.digest, failures[0]!)
    return { scanned: { ...given, entries, failures }, ...(isBad && { bad: failures[0]! }) }
  }
}

/** Two URLs may be equal without their secrets. */
function uniqueName(name: string, taken: ReadonlySet<string>): string {
  let unique = name
  for (let n = 2; taken.has(unique); n++) unique = `${name}#${n}`
  return unique
}

/** Aborts with either signal. `AbortSignal.any` leaks memory on signals that live long. */
function endingWith(one: AbortSignal, other: AbortSignal): { readonly signal: AbortSignal; done(): void } {
  const ending = new AbortController()
  const end = (event: { target: unknown }) => ending.abort((event.target as AbortSignal).reason)
  for (const signal of [one, other]) {
    if (signal.aborted) ending.abort(signal.reason)
    signal.addEventListener('abort', end, { once: true })
  }
  return {
    signal: ending.signal,
    done: () => [one, other].forEach((signal) => signal.removeEventListener('abort', end)),
  }
}
