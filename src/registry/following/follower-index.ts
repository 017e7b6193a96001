import type { LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { yieldToEventLoop } from '../async/pause.js'
import { fieldKey, type IndexKey, type Scalar } from './index-key.js'
import { changesByValue } from './page-index.js'

/** Up to where nothing has happened that concerns a follower, and the head at the end of that revision. */
export interface SkipPoint {
  readonly position: LogPosition
  readonly version: number
}

/** So many are told at once that they have been passed by; then others have a turn. */
const AT_ONCE = 64

/** Why a follower that waited goes on. */
export interface WakeReason {
  /** It may go on so far without looking; null where it is to look at everything. */
  readonly passed: SkipPoint | null
  /** Nothing concerns it, and its client is to be told how far it is. */
  readonly isDue: boolean
}

const LOOK: WakeReason = { passed: null, isDue: false }

/** One follower, who waits now and then at the end of what has been read. */
export interface IndexedFollower {
  readonly interest: IndexKey | null
  /** Set while it waits. */
  wake: ((woken: WakeReason) => void) | null
}

interface IndexedField {
  readonly field: IndexKey['field']
  readonly byValue: Map<Scalar, Set<IndexedFollower>>
  seats: number
}

/**
 * Who waits for the log to go on, by what they are concerned with: a stretch of it wakes those whose filters may match
 * something in it. The others are passed by, and told now and then how far, so that their clients can be.
 */
export class FollowerIndex {
  /** Those who wait and are to be woken by everything. */
  readonly #eager = new Set<IndexedFollower>()
  /** Those of the others who wait. */
  readonly #quiet = new Set<IndexedFollower>()
  readonly #fields = new Map<string, IndexedField>()
  #telling: NodeJS.Timeout | null = null

  /** @param end how far all have come whom nothing has woken; null where nothing is read */
  constructor(
    private readonly progressMs: number,
    private readonly end: () => SkipPoint | null,
  ) {}

  add(interest: IndexKey | null): IndexedFollower {
    const seat: IndexedFollower = { interest, wake: null }
    if (interest === null) return seat
    const { field, values } = interest
    const key = fieldKey(field)
    let indexed = this.#fields.get(key)
    if (indexed === undefined) this.#fields.set(key, (indexed = { field, byValue: new Map(), seats: 0 }))
    indexed.seats += 1
    for (const value of values) {
      const same = indexed.byValue.get(value)
      if (same === undefined) indexed.byValue.set(value, new Set([seat]))
      else same.add(seat)
    }
    return seat
  }

  remove(seat: IndexedFollower): void {
    seat.wake?.(LOOK)
    const { interest } = seat
    if (interest === null) return
    const key = fieldKey(interest.field)
    const indexed = this.#fields.get(key)!
    for (const value of interest.values) {
      const same = indexed.byValue.get(value)
      if (same?.delete(seat) === true && same.size === 0) indexed.byValue.delete(value)
    }
    if (--indexed.seats === 0) this.#fields.delete(key)
  }

  /** Until there may be something for it (for `isEager` that is everything), `ms` have passed or the signal aborts. */
  wait(seat: IndexedFollower, signal: AbortSignal, isEager: boolean, ms: number | null): Promise<WakeReason> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(LOOK)
      const among = isEager || seat.interest === null ? this.#eager : this.#quiet
      const look = () => seat.wake?.(LOOK)
      const due = () => seat.wake?.(among === this.#quiet ? { passed: this.end(), isDue: true } : LOOK)
      const timer = ms === null ? undefined : setTimeout(due, ms)
      signal.addEventListener('abort', look, { once: true })
      among.add(seat)
      seat.wake = (woken) => {
        seat.wake = null
        among.delete(seat)
        signal.removeEventListener('abort', look)
        clearTimeout(timer)
        resolve(woken)
      }
    })
  }

  /** Whether it waits for what its filter may match, and nothing else. */
  isQuiet(seat: IndexedFollower): boolean {
    return this.#quiet.has(seat)
  }

  /** The log goes on with a page; all who wait have come to `before` without it. */
  advance(page: LogPage, before: SkipPoint): void {
    this.#wakeEager()
    if (this.#quiet.size === 0) return
    const woken: WakeReason = { passed: before, isDue: false }
    for (const { field, byValue } of this.#fields.values()) {
      for (const value of changesByValue(page, field).keys()) {
        for (const seat of byValue.get(value) ?? NOBODY) seat.wake?.(woken)
      }
    }
    this.#telling ??= setTimeout(() => void this.#tell(), this.progressMs).unref()
  }

  /** What comes next is to be had from the store alone: everybody looks by themselves, from here on. */
  wakeAll(passed: SkipPoint | null): void {
    this.#wakeEager()
    for (const seat of [...this.#quiet]) seat.wake?.({ passed, isDue: false })
    if (this.#telling !== null) clearTimeout(this.#telling)
    this.#telling = null
  }

  #wakeEager(): void {
    for (const seat of [...this.#eager]) seat.wake?.(LOOK)
  }

  async #tell(): Promise<void> {
    this.#telling = null
    const waiting = [...this.#quiet]
    for (let from = 0; from < waiting.length; from += AT_ONCE) {
      const woken: WakeReason = { passed: this.end(), isDue: true }
      // One that has been woken since has looked by itself, and waits for something else now.
      for (const seat of waiting.slice(from, from + AT_ONCE)) if (this.#quiet.has(seat)) seat.wake?.(woken)
      await yieldToEventLoop()
    }
  }
}

const NOBODY: readonly IndexedFollower[] = []
