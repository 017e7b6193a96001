import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import { utf8Length } from '../../core/entry/text.js'
import {
  type BatchInstances,
  type Instances,
  instanceExists,
  instanceExpired,
  noSuchEntry,
} from '../contract/instances.js'

interface Held {
  readonly instance: Instance
  readonly ttlSeconds: number
  readonly metadataText: string | null
}

export interface MemoryInstances {
  readonly instances: Instances
  readonly use: BatchInstances
}

/** The time in milliseconds since 1970 by a monotonic clock, which ignores changes to the machine's clock. */
export function steadyClock(): number {
  return performance.timeOrigin + performance.now()
}

/** Opens the instances of a registry in one process. `clock` returns milliseconds. */
export function openMemoryInstances(
  exists: (id: EntryId) => boolean,
  clock: () => number = steadyClock,
): MemoryInstances {
  const held = new Map<string, Held>()
  /** Instance ids by entry and name. */
  const names = new Map<EntryId, Map<string, string>>()
  const tokens = new Map<EntryId, number>()
  const listeners = new Set<(entry: EntryId | null) => void>()

  const notify = (entry: EntryId) => {
    for (const listener of [...listeners]) listener(entry)
  }
  const lives = (one: Held | undefined): one is Held => one !== undefined && one.instance.expiresAt.getTime() > clock()
  const after = (ttlSeconds: number, now = Math.floor(clock())) => new Date(now + ttlSeconds * 1_000)

  function remove({ instance: { id, entryId, name } }: Held): void {
    held.delete(id)
    const left = names.get(entryId)
    if (left?.get(name) !== id) return
    left.delete(name)
    if (left.size === 0) names.delete(entryId)
  }

  function liveOf(entry: EntryId): Held[] {
    return [...(names.get(entry)?.values() ?? [])].map((id) => held.get(id)).filter(lives)
  }

  const instances: Instances = {
    async acquire(request) {
      const { id, entryId, name, ttlSeconds, metadataText } = request
      if (!exists(entryId)) throw noSuchEntry(entryId)
      const other = held.get(names.get(entryId)?.get(name) ?? '')
      if (lives(other)) throw instanceExists(request)
      if (other !== undefined) remove(other)
      const fencingToken = (tokens.get(entryId) ?? 0) + 1
      tokens.set(entryId, fencingToken)
      const metadataBytes = metadataText === null ? 0 : utf8Length(metadataText)
      const acquiredAt = after(0)
      const instance: Instance = {
        id,
        entryId,
        name,
        acquiredAt,
        expiresAt: after(ttlSeconds, acquiredAt.getTime()),
        fencingToken,
        metadataBytes,
      }
      held.set(id, { instance, ttlSeconds, metadataText })
      const others = names.get(entryId)
      if (others === undefined) names.set(entryId, new Map([[name, id]]))
      else others.set(name, id)
      notify(entryId)
      return instance
    },
    async renew(id, ttlSeconds) {
      const old = held.get(id)
      if (!lives(old)) throw instanceExpired()
      const seconds = ttlSeconds ?? old.ttlSeconds
      const instance = { ...old.instance, expiresAt: after(seconds) }
      held.set(id, { ...old, instance, ttlSeconds: seconds })
      notify(instance.entryId)
      return instance
    },
    async release(id) {
      const one = held.get(id)
      if (!lives(one)) return false
      remove(one)
      notify(one.instance.entryId)
      return true
    },

    live: async (ids) => ({
      now: new Date(clock()),
      of: new Map(
        ids.flatMap((id) => {
          const found = liveOf(id)
            .map(({ instance }) => instance)
            .sort((a, b) => a.fencingToken - b.fencingToken)
          return found.length === 0 ? [] : [[id, found] as const]
        }),
      ),
    }),
    byId: async (ids) =>
      new Map(
        ids
          .map((id) => held.get(id))
          .filter(lives)
          .map(({ instance }) => [instance.id, instance] as const),
      ),
    metadata: async (ids) =>
      new Map(
        ids
          .map((id) => held.get(id))
          .filter(lives)
          .flatMap(({ instance, metadataText }) =>
            metadataText === null ? [] : [[instance.id, metadataText] as const],
          ),
      ),

    async sweep() {
      const now = clock()
      let next = Infinity
      for (const one of [...held.values()]) {
        const expiresAt = one.instance.expiresAt.getTime()
        if (expiresAt <= now) remove(one)
        else next = Math.min(next, expiresAt)
      }
      return next === Infinity ? null : next - now
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return {
    instances,
    use: {
      live: (id) => liveOf(id).length,
      end(id) {
        const ended = [...(names.get(id)?.values() ?? [])]
        for (const each of ended) remove(held.get(each)!)
        if (ended.length > 0) notify(id)
      },
    },
  }
}
