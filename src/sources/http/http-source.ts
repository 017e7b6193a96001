import { createHash } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { pause } from '../../registry/pause.js'
import { decodeText } from '../decode-text.js'
import { parseJson } from '../parse-json.js'
import { failureText, sealRules, type SourceFailure } from '../parse-entry.js'
import type { Scanned, SourceReader } from '../source-reader.js'
import { loadSchemas, type EntrySchemas } from '../validate.js'
import { fetchPage, type FetchedPage, type PageRequest } from './fetch-page.js'
import { HttpFailure } from './http-failure.js'
import { HTTP_LIMITS, type HttpLimits } from './http-limits.js'
import { authHeaders, type HttpSourceOptions } from './http-options.js'
import { NoList, pageEntries, pageForm, type PageForm } from './page-entries.js'
import { readStamp, writeStamp, type PageStamp } from './page-stamp.js'
import { urlNamer } from './shown-url.js'

const DEFAULT_POLL_SECONDS = 60

/**
 * Reads an HTTP registry, page by page; its locations are the pages' URLs, without what is secret in them. Where a page
 * cannot be had, or cannot be read and nobody knows what follows it, the scan throws: what lies behind it is unknown,
 * and not gone. @throws InvalidMapping
 */
export function openHttpSource(options: HttpSourceOptions, given: Partial<HttpLimits> = {}): SourceReader {
  return new HttpSource(options, { ...HTTP_LIMITS, ...given })
}

class HttpSource implements SourceReader {
  readonly #first: URL
  readonly #form: PageForm
  readonly #agent: http.Agent
  readonly #nameOf: (url: URL) => string
  readonly #pollMs: number
  readonly #closing = new AbortController()
  #schemas: EntrySchemas | undefined
  /** What followed each page at the last whole look: a page that has gone bad does not hide those behind it. */
  #followedBy = new Map<string, string | null>()
  /** The server has asked to be left alone until then. */
  #quietUntil = 0

  constructor(readonly options: HttpSourceOptions, readonly limits: HttpLimits) {
    this.#first = new URL(options.url)
    this.#form = pageForm(options.form ?? 'entry')
    this.#nameOf = urlNamer(this.#first)
    this.#pollMs = (options.pollSeconds ?? DEFAULT_POLL_SECONDS) * 1_000
    const settings = { keepAlive: true, maxFreeSockets: 2 }
    this.#agent = this.#first.protocol === 'https:' ? new https.Agent(settings) : new http.Agent(settings)
  }

  async* scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncGenerator<Scanned> {
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
    this.#closing.abort(new Error('the source has been closed'))
    this.#agent.destroy()
  }

  async* #scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncGenerator<Scanned> {
    const schemas = this.#schemas = await loadSchemas(this.options.schemas ?? {}, this.#schemas)
    const fingerprint = createHash('sha256').update(JSON.stringify([this.options.form ?? 'entry', schemas.fingerprint])).digest('hex')
    const locations = new Set<string>()
    const followedBy = new Map<string, string | null>()
    /** The page before, where only its stamp says what follows it: it was not sent again. */
    let remembered: URL | null = null
    let next: URL | null = this.#first
    while (next !== null) {
      const url: URL = next
      if (followedBy.has(url.href)) throw new Error(`${this.#nameOf(url)}: the pages go round in a circle: this one has been read before`)
      const location = uniqueName(this.#nameOf(url), locations)
      if (followedBy.size === this.limits.pages) throw new Error(`${location}: there are more than ${this.limits.pages} pages`)
      const stamp = readStamp(known(location), fingerprint)
      let page: FetchedPage
      try {
        page = await this.#fetch(url, location, stamp?.etag ?? null, signal)
      } catch (error) {
        signal.throwIfAborted()
        const before: URL | null = remembered
        remembered = null
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
        remembered = page.next instanceof URL ? null : url
        next = page.next instanceof URL ? page.next : stamp!.next === null ? null : new URL(stamp!.next)
        if (next === null) remembered = null
        yield { location, unchanged: true }
      } else {
        remembered = null
        const { scanned, bad } = await this.#read(page, location, fingerprint, schemas, stamp)
        next = page.next ?? null
        if (bad !== undefined && page.next === undefined) next = this.#after(url, stamp, bad)
        yield scanned
      }
      followedBy.set(url.href, next?.href ?? null)
    }
    this.#followedBy = followedBy
  }

  /** What follows a page that cannot be read and says nothing of it. @throws HttpFailure where nobody knows */
  #after(url: URL, stamp: PageStamp | null, bad: SourceFailure): URL | null {
    const next = this.#followedBy.has(url.href) ? this.#followedBy.get(url.href)! : stamp?.next
    if (next === undefined) throw new Error(`${failureText(bad)}; whether other pages follow is not known`)
    return next === null ? null : new URL(next)
  }

  async #fetch(url: URL, location: string, etag: string | null, signal: AbortSignal): Promise<FetchedPage> {
    const wait = this.#quietUntil - Date.now()
    if (wait > 0) throw new Error(`${location}: the server has asked to be left alone for ${Math.ceil(wait / 1_000)} s more`)
    const request: PageRequest = { url, etag, headers: authHeaders(this.options.auth), agent: this.#agent, limits: this.limits, signal }
    try {
      return await fetchPage(request)
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error
      if (error.retryAfterMs !== null) this.#quietUntil = Date.now() + Math.min(error.retryAfterMs, this.limits.longestQuietMs)
      throw new Error(`${location}: ${error.message}`, { cause: error })
    }
  }

  /** `bad`: why nothing of the page can be read. */
  async #read(
    page: Exclude<FetchedPage, { unmodified: true }>, location: string, fingerprint: string, schemas: EntrySchemas, known: PageStamp | null,
  ): Promise<{ scanned: Scanned; bad?: SourceFailure }> {
    const { body, contentType, etag, modifiedAt } = page
    const stamp: PageStamp = { etag, next: page.next?.href ?? null, digest: createHash('sha256').update(body).digest('hex') }
    if (known !== null && writeStamp(known, fingerprint) === writeStamp(stamp, fingerprint)) return { scanned: { location, unchanged: true } }
    const given = { location, unchanged: false, stamp: writeStamp(stamp, fingerprint), modifiedAt } as const
    const failed = (message: string, line: number | null = null, column: number | null = null) => {
      const bad = { file: location, line, column, entryId: null, message }
      return { scanned: { ...given, entries: [], failures: [bad] }, bad }
    }
    if (!/^application\/([\w.!#$&^-]+\+)?json *(;|$)/i.test(contentType ?? 'application/json')) {
      return failed(`the content is ${JSON.stringify(contentType!.slice(0, 100))}, not application/json`)
    }
    const decoded = decodeText(body)
    if (!('text' in decoded)) return failed('is not UTF-8 text', decoded.badLine)
    const { documents, faults } = parseJson(decoded.text)
    if (documents[0] === undefined) return failed(`is no JSON: ${faults[0]!.message}`, faults[0]!.line, faults[0]!.column)
    try {
      return { scanned: { ...given, ...await pageEntries(location, documents[0], this.#form, { schemas, seal: sealRules(this.limits.entryBytes) }) } }
    } catch (error) {
      if (!(error instanceof NoList)) throw error
      return failed(error.message)
    }
  }
}

/** Two pages may look alike once what is secret in their URLs is gone. */
function uniqueName(name: string, taken: ReadonlySet<string>): string {
  let unique = name
  for (let n = 2; taken.has(unique); n++) unique = `${name}#${n}`
  return unique
}

/** Aborts with either. `AbortSignal.any` would leave something on signals that live long. */
function endingWith(one: AbortSignal, other: AbortSignal): { readonly signal: AbortSignal; done(): void } {
  const ending = new AbortController()
  const end = (event: { target: unknown }) => ending.abort((event.target as AbortSignal).reason)
  for (const signal of [one, other]) {
    if (signal.aborted) ending.abort(signal.reason)
    signal.addEventListener('abort', end, { once: true })
  }
  return { signal: ending.signal, done: () => [one, other].forEach((signal) => signal.removeEventListener('abort', end)) }
}
