import type { LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { yieldToEventLoop } from '../async/pause.js'
import { fieldKey, type IndexKey, type Scalar } from './index-key.js'
import { pageIndex } from './page-index.js'

/** A position before which nothing concerns a follower, with the head at the end of that revision. */
export interface SkipPoint {
  readonly position: LogPosition
  readonly version: number
}

/** Followers that are woken in one time slice. */
const FOLLOWERS_AT_ONCE = 64

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
 */
export class FollowerIndex {
  /** Waiting followers that every page wakes. */
  readonly #eager = new Set<IndexedFollower>()
  /** Waiting followers that only matching pages wake. */
  readonly #quiet = new Set<IndexedFollower>()
  readonly #fields = new Map<string, IndexedField>()
  #progressTimer: NodeJS.Timeout | null = null

  /**
   * @param progressMs - longest time that a follower skips pages without being woken
   * @param end - position up to which followers skip that nothing has woken, null if nothing is being read
   */
  constructor(
    private readonly progressMs: number,
    private readonly end: () => SkipPoint | null,
  ) {}

  add(indexKey: IndexKey | null): IndexedFollower {
    const follower: IndexedFollower = { indexKey, wake: null }
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
      const due = () => follower.wake?.(among === this.#quiet ? { skipTo: this.end(), isDue: true } : SCAN)
      const timer = ms === null ? undefined : setTimeout(due, Math.max(0, ms))
      signal.addEventListener('abort', scan, { once: true })
      among.add(follower)
      follower.wake = (woken) => {
        follower.wake = null
        among.delete(follower)
        signal.removeEventListener('abort', scan)
        clearTimeout(timer)
        resolve(woken)
      }
    })
  }

  /** Whether the follower waits, and only for pages that its filter may match. */
  isQuiet(follower: IndexedFollower): boolean {
    return this.#quiet.has(follower)
  }

  /** Wakes the followers that a new page may concern. `before` is the position before that page. */
  advance(page: LogPage, before: SkipPoint): void {
    this.#wakeEager()
    if (this.#quiet.size === 0) return
    const woken: WakeReason = { skipTo: before, isDue: false }
    for (const { field, byValue } of this.#fields.values()) {
      for (const value of pageIndex(page, field).keys()) {
        for (const follower of byValue.get(value) ?? NOBODY) follower.wake?.(woken)
      }
    }
    this.#progressTimer ??= setTimeout(() => void this.#wakeQuiet(), this.progressMs).unref()
  }

  /** Wakes all followers, because the tail stops. From here on each follower reads the store by itself. */
  wakeAll(skipTo: SkipPoint | null): void {
    this.#wakeEager()
    for (const follower of [...this.#quiet]) follower.wake?.({ skipTo, isDue: false })
    if (this.#progressTimer !== null) clearTimeout(this.#progressTimer)
    this.#progressTimer = null
  }

  #wakeEager(): void {
    for (const follower of [...this.#eager]) follower.wake?.(SCAN)
  }

  async #wakeQuiet(): Promise<void> {
    this.#progressTimer = null
    const waiting = [...this.#quiet]
    for (let from = 0; from < waiting.length; from += FOLLOWERS_AT_ONCE) {
      const woken: WakeReason = { skipTo: this.end(), isDue: true }
      // A follower that was woken meanwhile is no longer waiting for this page.
      for (const follower of waiting.slice(from, from + FOLLOWERS_AT_ONCE))
        if (this.#quiet.has(follower)) follower.wake?.(woken)
      await yieldToEventLoop()
    }
  }
}

const NOBODY: readonly IndexedFollower[] = []
