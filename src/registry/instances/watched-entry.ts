import type { Instance } from '../../core/entry/instance.js'

export const INSTANCE_CHANGE_KINDS = ['LIVE', 'ACQUIRED', 'RENEWED', 'EXPIRED', 'ENDED'] as const
export type InstanceChangeKind = (typeof INSTANCE_CHANGE_KINDS)[number]

/** Something that happened to an instance, or with LIVE that it was there when the stream began. */
export interface InstanceChange {
  readonly kind: InstanceChangeKind
  /** As it was then. */
  readonly instance: Instance
}

/**
 * @bound Changes of an entry's instances that are buffered for followers, in addition to as many as there are live
 * instances.
 */
const WINDOW = 1_000

/**
 * One entry's instances as all of a gateway's followers see them: what lives, and what happened of late. Changes have
 * numbers; a follower that stands before the first that is kept has to begin anew.
 *
 *   changes   ──────────────┬──────┬─────┐
 *   kept                  first          next
 */
export class WatchedEntry {
  /** By token. */
  live: readonly Instance[] = []
  #isSeen = false
  #changes: InstanceChange[] = []
  #first = 0

  get next(): number {
    return this.#first + this.#changes.length
  }

  /** Changes from a number on; null where they are not kept any more. */
  since(number: number): readonly InstanceChange[] | null {
    return number < this.#first ? null : this.#changes.slice(number - this.#first)
  }

  see(live: readonly Instance[], asOf: Date): void {
    // The first look is no change: nobody was told of anything before it.
    const changes = !this.#isSeen ? [] : changesBetween(this.live, live, asOf)
    const kept = WINDOW + Math.max(this.live.length, live.length)
    this.live = live
    this.#isSeen = true
    for (const change of changes) this.#changes.push(change)
    const surplus = this.#changes.length - kept
    if (surplus > 0) {
      this.#changes.splice(0, surplus)
      this.#first += surplus
    }
  }

  /** Nobody will ask for what was before this number. */
  forget(number: number): void {
    const count = number - this.#first
    if (count <= 0) return
    this.#changes.splice(0, count)
    this.#first += count
  }
}

/** What went first, so that a name that was taken over goes before it comes. */
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
