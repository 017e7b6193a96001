import type { Instance } from '../../core/entry/instance.js'

export const INSTANCE_CHANGE_KINDS = ['LIVE', 'ACQUIRED', 'RENEWED', 'EXPIRED', 'ENDED'] as const
export type InstanceChangeKind = (typeof INSTANCE_CHANGE_KINDS)[number]

/** A change of an instance. LIVE means that it existed when the stream began. */
export interface InstanceChange {
  readonly kind: InstanceChangeKind
  /** The instance after the change. */
  readonly instance: Instance
}

/**
 * @bound Changes of an entry's instances that are buffered for followers, in addition to as many as there are live
 * instances.
 */
const WINDOW = 1_000

/**
 * State of one entry's instances for all followers on a gateway: the live ones and a window of recent changes. Changes are
 * numbered. A follower before the window has to start again.
 *
 *   changes   ──────────────┬──────┬─────┐
 *   window                first          next
 */
export class WatchedEntry {
  /** Ordered by their tokens. */
  live: readonly Instance[] = []
  #isRead = false
  #changes: InstanceChange[] = []
  #first = 0

  get next(): number {
    return this.#first + this.#changes.length
  }

  /** Returns the changes from a number on. Null if they are no longer in the window. */
  since(number: number): readonly InstanceChange[] | null {
    return number < this.#first ? null : this.#changes.slice(number - this.#first)
  }

  update(live: readonly Instance[], asOf: Date): void {
    // The first read is not a change, because nothing was sent before it.
    const changes = !this.#isRead ? [] : changesBetween(this.live, live, asOf)
    const capacity = WINDOW + Math.max(this.live.length, live.length)
    this.live = live
    this.#isRead = true
    for (const change of changes) this.#changes.push(change)
    const surplus = this.#changes.length - capacity
    if (surplus > 0) {
      this.#changes.splice(0, surplus)
      this.#first += surplus
    }
  }

  /** Drops changes before this number, which no follower needs any more. */
  dropBefore(number: number): void {
    const count = number - this.#first
    if (count <= 0) return
    this.#changes.splice(0, count)
    this.#first += count
  }
}

/** Returns the changes, ended instances first. If a name is acquired again, its previous instance ends before. */
function changesBetween(before: readonly Instance[], after: readonly Instance[], asOf: Date): InstanceChange[] {
  const still = new Map(after.map((instance) => [instance.id, instance]))
  const known = new Map(before.map((instance) => [instance.id, instance]))
  const gone = before
    .filter(({ id }) => !still.has(id))
    .map((instance): InstanceChange => ({ kind: instance.expiresAt <= asOf ? 'EXPIRED' : 'ENDED', instance }))
  const there = after.flatMap((instance): InstanceChange[] => {
    const old = known.get(instance.id)
    if (old === undefined) return [{ kind: 'ACQUIRED', instance }]
    return old.expiresAt.getTime() === instance.expiresAt.getTime() ? [] : [{ kind: 'RENEWED', instance }]
  })
  return [...gone, ...there]
}
