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
/**
 * A long read is followed by a pause of this many times its duration, so that 50,000 renewing instances are not read
 * all the time.
 */
const PAUSE_FACTOR = 3
/** Duration from which a read is long, in milliseconds. */
const LONG_MS = 10

interface Watched {
  readonly entry: WatchedEntry
  readonly followers: Set<{ next: number }>
  readonly waiting: Set<() => void>
  isDirty: boolean
  /** Number of the last query that read it. */
  seenBy: number
  /** When its next instance expires, by `performance.now()`. Infinity if none is live. */
  due: number
  error: unknown
}

/** A follower's access to the watch of one entry. */
export interface InstanceSubscription {
  readonly entry: WatchedEntry
  /** Resolves when the entry was read after the follower joined. @throws errors of the read that are not transient */
  seen(signal: AbortSignal): Promise<void>
  /** Resolves when something may have changed, or the signal aborts. */
  changed(signal: AbortSignal): Promise<void>
  leave(): void
}

/**
 * Reads instances for all followers on this gateway: one statement for all entries that may have changed, after a notification or
 * when the next instance is due to expire. While no followed instance is live, it makes no query.
 */
export class InstanceWatch {
  #reads = 0
  readonly #watched = new Map<EntryId, Watched>()
  #timer: NodeJS.Timeout | null = null
  #isReading = false
  readonly #stop: () => void
  readonly #closing = new AbortController()

  constructor(private readonly instances: Pick<Instances, 'live' | 'onChange'>) {
    this.#stop = instances.onChange((id) => this.#touch(id))
  }

  join(id: EntryId, follower: { next: number }): InstanceSubscription {
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
    follower.next = entry.next
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
        // Also if the entry is followed already, because the first batch has to contain everything that was
        // acknowledged before.
        const next = this.#reads + 1
        this.#touch(id)
        while (joined.seenBy < next && !signal.aborted) await changed(signal)
      },
      leave: () => {
        followers.delete(follower)
        if (followers.size > 0) return
        this.#watched.delete(id)
        if (this.#watched.size === 0) this.#stopTimer()
      },
    }
  }

  close(): void {
    this.#stop()
    this.#closing.abort()
    this.#stopTimer()
  }

  #touch(id: EntryId | null): void {
    for (const watched of id === null ? this.#watched.values() : [this.#watched.get(id)])
      if (watched !== undefined) watched.isDirty = true
    if (!this.#isReading && this.#watched.size > 0) void this.#read()
  }

  /** Reads until no entry is marked as changed. */
  async #read(): Promise<void> {
    this.#isReading = true
    // Entries that are marked in the same task are read together.
    await Promise.resolve()
    let failures = 0
    while (!this.#closing.signal.aborted) {
      const dirty = [...this.#watched].filter(([, { isDirty }]) => isDirty)
      if (dirty.length === 0) break
      for (const [, watched] of dirty) watched.isDirty = false
      const begun = performance.now()
      const number = ++this.#reads
      try {
        const { now, of } = await this.instances.live(dirty.map(([id]) => id))
        failures = 0
        for (const [id, watched] of dirty) this.#update(watched, of.get(id) ?? [], now, number)
      } catch (error) {
        for (const [, watched] of dirty) {
          if (isTransient(error)) watched.isDirty = true
          else fail(watched, error)
        }
        await pause(retryDelay(failures++), this.#closing.signal)
        continue
      }
      const taken = performance.now() - begun
      if (taken > LONG_MS) await pause(taken * PAUSE_FACTOR, this.#closing.signal)
    }
    this.#isReading = false
    this.#schedule()
  }

  #update(watched: Watched, live: WatchedEntry['live'], now: Date, number: number): void {
    const { entry, followers } = watched
    entry.dropBefore(Math.min(...[...followers].map(({ next }) => next)))
    entry.update(live, now)
    watched.seenBy = number
    const next = live.reduce((least, { expiresAt }) => Math.min(least, expiresAt.getTime()), Infinity)
    watched.due =
      next === Infinity
        ? Infinity
        : performance.now() + Math.min(Math.max(next - now.getTime(), SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
    wake(watched)
  }

  /** Schedules a read for when the next followed instance expires. */
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
        if (!this.#isReading) void this.#read()
      },
      Math.max(0, due - performance.now()) + 1,
    )
    this.#timer.unref()
  }

  #stopTimer(): void {
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
