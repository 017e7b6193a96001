import { pauseIfDue } from '../../store/coalescing/time-slices.js'
import type { LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { yieldToEventLoop } from '../async/pause.js'
import { fieldKey, type IndexKey, type Scalar } from './index-key.js'
import { pageIndex } from './page-index.js'

/** A position before which nothing concerns a follower, with the head at the end of that revision. */
export interface SkipPoint {
  readonly position: LogPosition
  readonly version: number
}

/** @bound Followers that are woken in one turn of the event loop. Waking one takes a few microseconds. */
const FOLLOWERS_AT_ONCE = 64
/** Fields by which a page is indexed between two pauses. */
const FIELDS_AT_ONCE = 4
/**
 * @bound Pages of the log that wait to be indexed. If there are more, all followers are woken and scan for themselves, so
 * that the pages can be dropped.
 */
const MAX_WAITING_PAGES = 8

/** Why a waiting follower was woken. */
export interface WakeReason {
  /** The follower may skip to here without scanning. Null if it has to scan everything. */
  readonly skipTo: SkipPoint | null
  /** Nothing concerns the follower, but its client is due for an empty batch that moves its cursor. */
  readonly isDue: boolean
}

const SCAN: WakeReason = { skipTo: null, isDue: false }

/** A follower of the log tail, which waits when it has read everything. */
export interface IndexedFollower {
  readonly indexKey: IndexKey | null
  /** Set while the follower waits. */
  wake: ((woken: WakeReason) => void) | null
  /** Set while the follower waits and a page was found that concerns it. */
  reason: WakeReason | null
  /** The number of pages that the follower had seen when it began to wait. */
  seenPages: number
}

interface IndexedField {
  readonly field: IndexKey['field']
  readonly byValue: Map<Scalar, Set<IndexedFollower>>
  followers: number
}

/**
 * Indexes waiting followers by the values that their filters require, so that a page of the log wakes only those that may match
 * something in it. The others skip it, and are woken from time to time to move their clients' cursors.
 *
 *   page: ns = a, ns = b ──▶ index of ns ──▶ a: followers 1, 4     woken
 *                                            c: follower 2         skips the page
 *                            no index key ─▶ followers 3, 5        woken by every page
 *
 * Indexing and waking take place in time slices, because there may be thousands of fields and followers. Until a page
 * is indexed, no follower skips it.
 */
export class FollowerIndex {
  /** Waiting followers that every page wakes, and those that a page concerns. */
  readonly #eager = new Set<IndexedFollower>()
  /** Waiting followers that only matching pages wake. */
  readonly #quiet = new Set<IndexedFollower>()
  readonly #fields = new Map<string, IndexedField>()
  #progressTimer: NodeJS.Timeout | null = null
  /** Pages that were read while followers waited. */
  #seenPages = 0
  /** The oldest is being indexed. */
  readonly #waitingPages: { readonly page: LogPage; readonly before: SkipPoint }[] = []
  #isIndexing = false
  #isWaking = false

  /**
   * @param progressMs - longest time that a follower skips pages without being woken
   * @param end - position up to which followers skip that nothing has woken, null if nothing is being read
   */
  constructor(
    private readonly progressMs: number,
    private readonly end: () => SkipPoint | null,
  ) {}

  add(indexKey: IndexKey | null): IndexedFollower {
    const follower: IndexedFollower = { indexKey, wake: null, reason: null, seenPages: 0 }
    if (indexKey === null) return follower
    const { field, values } = indexKey
    const key = fieldKey(field)
    let indexed = this.#fields.get(key)
    if (indexed === undefined) this.#fields.set(key, (indexed = { field, byValue: new Map(), followers: 0 }))
    indexed.followers += 1
    for (const value of values) {
      const same = indexed.byValue.get(value)
      if (same === undefined) indexed.byValue.set(value, new Set([follower]))
      else same.add(follower)
    }
    return follower
  }

  remove(follower: IndexedFollower): void {
    follower.wake?.(SCAN)
    const { indexKey } = follower
    if (indexKey === null) return
    const key = fieldKey(indexKey.field)
    const indexed = this.#fields.get(key)!
    for (const value of indexKey.values) {
      const same = indexed.byValue.get(value)
      if (same?.delete(follower) === true && same.size === 0) indexed.byValue.delete(value)
    }
    if (--indexed.followers === 0) this.#fields.delete(key)
  }

  /**
   * Waits until a page may concern the follower (every page, with `isEager`), until `ms` have passed, or until the
   * signal aborts.
   */
  wait(follower: IndexedFollower, signal: AbortSignal, isEager: boolean, ms: number | null): Promise<WakeReason> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(SCAN)
      const among = isEager || follower.indexKey === null ? this.#eager : this.#quiet
      const scan = () => follower.wake?.(SCAN)
      const due = () => follower.wake?.(this.#quiet.has(follower) ? { skipTo: this.#skipPoint(), isDue: true } : SCAN)
      const timer = ms === null ? undefined : setTimeout(due, Math.max(0, ms))
      signal.addEventListener('abort', scan, { once: true })
      among.add(follower)
      follower.seenPages = this.#seenPages
      follower.wake = (woken) => {
        follower.wake = null
        follower.reason = null
        among.delete(follower)
        this.#eager.delete(follower)
        signal.removeEventListener('abort', scan)
        clearTimeout(timer)
        resolve(woken)
      }
    })
  }

  /** Returns how far a follower may skip while it waits. Null if it does not wait, or if a page may concern it. */
  skippable(follower: IndexedFollower): SkipPoint | null {
    return this.#quiet.has(follower) ? this.#skipPoint() : null
  }

  /** Wakes the followers that a new page may concern. `before` is the position before that page. */
  advance(page: LogPage, before: SkipPoint): void {
    this.#seenPages += 1
    if (this.#quiet.size > 0) {
      this.#waitingPages.push({ page, before })
      if (this.#waitingPages.length > MAX_WAITING_PAGES) {
        const woken: WakeReason = { skipTo: this.#waitingPages[0]!.before, isDue: false }
        for (const follower of [...this.#quiet]) this.#call(follower, woken)
        this.#waitingPages.length = 0
      }
      this.#progressTimer ??= setTimeout(() => void this.#wakeQuiet(), this.progressMs).unref()
    }
    if (!this.#isIndexing) void this.#indexPages()
    if (!this.#isWaking) void this.#wakeEager()
  }

  /** Wakes all followers, because the tail stops. From here on each follower reads the store by itself. */
  wakeAll(end: SkipPoint | null): void {
    const skipTo = this.#waitingPages[0]?.before ?? end
    this.#waitingPages.length = 0
    for (const follower of [...this.#eager]) follower.wake?.(follower.reason ?? SCAN)
    for (const follower of [...this.#quiet]) follower.wake?.({ skipTo, isDue: false })
    if (this.#progressTimer !== null) clearTimeout(this.#progressTimer)
    this.#progressTimer = null
  }

  /** The position to which followers may skip that no page concerns. */
  #skipPoint(): SkipPoint | null {
    return this.#waitingPages[0]?.before ?? this.end()
  }

  /** Lets a follower be woken for a page. From here on it skips nothing. */
  #call(follower: IndexedFollower, woken: WakeReason): void {
    if (!this.#quiet.delete(follower)) return
    follower.reason = woken
    // It has not seen that page, whatever came before.
    follower.seenPages = -1
    this.#eager.add(follower)
  }

  async #indexPages(): Promise<void> {
    this.#isIndexing = true
    for (let first = this.#waitingPages[0]; first !== undefined; first = this.#waitingPages[0]) {
      const { page, before } = first
      const woken: WakeReason = { skipTo: before, isDue: false }
      let fields = 0
      for (const { field, byValue } of this.#fields.values()) {
        for (const value of pageIndex(page, field).keys()) {
          for (const follower of byValue.get(value) ?? NOBODY) this.#call(follower, woken)
        }
        const pause = ++fields % FIELDS_AT_ONCE === 0 ? pauseIfDue() : undefined
        if (pause !== undefined) await pause
        // The page was given up meanwhile, and its followers woken.
        if (this.#waitingPages[0] !== first) break
      }
      if (this.#waitingPages[0] === first) this.#waitingPages.shift()
      if (!this.#isWaking) void this.#wakeEager()
    }
    // Followers that were woken for progress meanwhile could not move beyond these pages.
    if (this.#quiet.size > 0) this.#progressTimer ??= setTimeout(() => void this.#wakeQuiet(), this.progressMs).unref()
    this.#isIndexing = false
  }

  /** Wakes the eager followers that have not seen all pages. Those that wait again are at the end of the set. */
  async #wakeEager(): Promise<void> {
    this.#isWaking = true
    let woken = 0
    for (let seen = -1; seen !== this.#seenPages; ) {
      seen = this.#seenPages
      for (const follower of this.#eager) {
        if (follower.seenPages === this.#seenPages) continue
        follower.wake?.(follower.reason ?? SCAN)
        if (++woken % FOLLOWERS_AT_ONCE === 0) await yieldToEventLoop()
      }
    }
    this.#isWaking = false
  }

  async #wakeQuiet(): Promise<void> {
    this.#progressTimer = null
    const waiting = [...this.#quiet]
    for (let from = 0; from < waiting.length; from += FOLLOWERS_AT_ONCE) {
      const woken: WakeReason = { skipTo: this.#skipPoint(), isDue: true }
      // A follower that was woken meanwhile is no longer waiting for this page.
      for (const follower of waiting.slice(from, from + FOLLOWERS_AT_ONCE))
        if (this.#quiet.has(follower)) follower.wake?.(woken)
      await yieldToEventLoop()
    }
  }
}

const NOBODY: readonly IndexedFollower[] = []
