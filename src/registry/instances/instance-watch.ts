import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instances } from '../../store/contract/instances.js'
import { pause } from '../async/pause.js'
import { isTransient, retryDelay } from '../async/retry-while-unavailable.js'
import { WatchedEntry } from './watched-entry.js'

/**
 * @bound Longest interval between checks of followed instances while any is live. A clock may jump, and a message may
 * be lost.
 */
const LONGEST_WAIT_MS = 30_000
const SHORTEST_WAIT_MS = 5
/** After a long look there is quiet, for so many times as long: 50,000 that renew must not be read all the time. */
const QUIET = 3
const LONG_MS = 10

interface Watched {
  readonly entry: WatchedEntry
  readonly followers: Set<{ heard: number }>
  readonly waiting: Set<() => void>
  isDirty: boolean
  /** Number of the last look that saw it. */
  seenBy: number
  /** When its next expires, on the monotonic clock; Infinity where nothing lives. */
  due: number
  error: unknown
}

export interface Joined {
  readonly entry: WatchedEntry
  /** Resolves when it has been looked at since joining. @throws what reading throws, unless it is passing */
  seen(signal: AbortSignal): Promise<void>
  /** Resolves when something may have changed, or the signal aborts. */
  changed(signal: AbortSignal): Promise<void>
  leave(): void
}

/**
 * Looks at instances for all who follow them on this gateway: one statement for all the entries that may have changed,
 * after a message, or when the next is due to expire. While nothing that is followed lives, nothing is asked.
 */
export class InstanceWatch {
  #looks = 0
  readonly #watched = new Map<EntryId, Watched>()
  #timer: NodeJS.Timeout | null = null
  #isLooking = false
  readonly #stop: () => void
  readonly #closing = new AbortController()

  constructor(private readonly instances: Pick<Instances, 'live' | 'onChange'>) {
    this.#stop = instances.onChange((id) => this.#touch(id))
  }

  join(id: EntryId, follower: { heard: number }): Joined {
    let watched = this.#watched.get(id)
    if (watched === undefined) {
      watched = {
        entry: new WatchedEntry(),
        followers: new Set(),
        waiting: new Set(),
        isDirty: false,
        seenBy: 0,
        due: Infinity,
        error: null,
      }
      this.#watched.set(id, watched)
    }
    const joined = watched
    const { entry, waiting, followers } = joined
    follower.heard = entry.next
    followers.add(follower)
    const changed = (signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal.aborted) return resolve()
        const settle = () => {
          waiting.delete(settle)
          signal.removeEventListener('abort', settle)
          if (joined.error === null) resolve()
          else reject(joined.error as Error)
        }
        waiting.add(settle)
        signal.addEventListener('abort', settle, { once: true })
      })
    return {
      entry,
      changed,
      seen: async (signal) => {
        // Also where others follow it already: what was acknowledged before is to be among what is told first.
        const next = this.#looks + 1
        this.#touch(id)
        while (joined.seenBy < next && !signal.aborted) await changed(signal)
      },
      leave: () => {
        followers.delete(follower)
        if (followers.size > 0) return
        this.#watched.delete(id)
        if (this.#watched.size === 0) this.#rest()
      },
    }
  }

  close(): void {
    this.#stop()
    this.#closing.abort()
    this.#rest()
  }

  #touch(id: EntryId | null): void {
    for (const watched of id === null ? this.#watched.values() : [this.#watched.get(id)])
      if (watched !== undefined) watched.isDirty = true
    if (!this.#isLooking && this.#watched.size > 0) void this.#look()
  }

  /** Until nothing is left to be looked at. */
  async #look(): Promise<void> {
    this.#isLooking = true
    // What comes in one turn is looked at together.
    await Promise.resolve()
    let failures = 0
    while (!this.#closing.signal.aborted) {
      const dirty = [...this.#watched].filter(([, { isDirty }]) => isDirty)
      if (dirty.length === 0) break
      for (const [, watched] of dirty) watched.isDirty = false
      const begun = performance.now()
      const look = ++this.#looks
      try {
        const { now, of } = await this.instances.live(dirty.map(([id]) => id))
        failures = 0
        for (const [id, watched] of dirty) this.#see(watched, of.get(id) ?? [], now, look)
      } catch (error) {
        for (const [, watched] of dirty) {
          if (isTransient(error)) watched.isDirty = true
          else fail(watched, error)
        }
        await pause(retryDelay(failures++), this.#closing.signal)
        continue
      }
      const taken = performance.now() - begun
      if (taken > LONG_MS) await pause(taken * QUIET, this.#closing.signal)
    }
    this.#isLooking = false
    this.#schedule()
  }

  #see(watched: Watched, live: WatchedEntry['live'], now: Date, look: number): void {
    const { entry, followers } = watched
    entry.forget(Math.min(...[...followers].map(({ heard }) => heard)))
    entry.see(live, now)
    watched.seenBy = look
    const next = live.reduce((least, { expiresAt }) => Math.min(least, expiresAt.getTime()), Infinity)
    watched.due =
      next === Infinity
        ? Infinity
        : performance.now() + Math.min(Math.max(next - now.getTime(), SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
    wake(watched)
  }

  /** The next of those that are followed expires: they are looked at then. */
  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#closing.signal.aborted) return
    let due = Infinity
    for (const watched of this.#watched.values()) due = Math.min(due, watched.due)
    if (due === Infinity) return
    this.#timer = setTimeout(
      () => {
        for (const watched of this.#watched.values()) if (watched.due <= performance.now()) watched.isDirty = true
        if (!this.#isLooking) void this.#look()
      },
      Math.max(0, due - performance.now()) + 1,
    )
    this.#timer.unref()
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

function wake({ waiting }: Watched): void {
  for (const settle of [...waiting]) settle()
}

function fail(watched: Watched, error: unknown): void {
  watched.error = error
  wake(watched)
}
