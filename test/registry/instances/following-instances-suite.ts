import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { Instance } from '../../../src/core/entry/instance.js'
import type { InstanceBatch } from '../../../src/registry/instances/follow-instances.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { History } from '../../../src/store/contract/history.js'
import { apply, create, isSilent, nextOf, registryOver } from '../registry-fixture.js'

export interface OpenedForInstances {
  readonly history: History
  /** Opens the same registry as another gateway does. Null if the store cannot. */
  readonly another: (() => Promise<History>) | null
  /** Number of statements or calls so far that read live instances. */
  reads(): number
  close(): Promise<void>
}

const x = parseEntryId('a:x')

/** Folds the stream as a client does. Throws if the stream contradicts itself. */
class Following {
  readonly held = new Map<string, Instance>()
  readonly kinds: string[] = []
  readonly batches: InstanceBatch[] = []
  constructor(readonly stream: AsyncIterableIterator<InstanceBatch>) {}

  async next(): Promise<InstanceBatch> {
    const batch = await nextOf(this.stream)
    this.batches.push(batch)
    if (batch.reset) this.held.clear()
    for (const { kind, instance } of batch.changes) {
      this.kinds.push(kind)
      const isThere = kind === 'RENEWED' || kind === 'EXPIRED' || kind === 'ENDED'
      if (this.held.has(instance.id) !== isThere)
        throw new Error(`${kind} of ${instance.name}, which is ${isThere ? 'not there' : 'there'}`)
      if (kind === 'EXPIRED' || kind === 'ENDED') this.held.delete(instance.id)
      else this.held.set(instance.id, instance)
    }
    return batch
  }

  async until(isEnough: (following: this) => boolean): Promise<void> {
    while (!isEnough(this)) await this.next()
  }

  get names(): string[] {
    return [...this.held.values()].map(({ name }) => name).sort()
  }
}

/** The stream of an entry's instances, whatever the store. */
export function followingInstances(backend: string, open: () => Promise<OpenedForInstances>): void {
  describe(`following an entry's instances over ${backend}`, () => {
    let opened: OpenedForInstances
    let registry: Registry
    let abort: AbortController
    beforeEach(async () => {
      opened = await open()
      registry = registryOver(opened.history)
      abort = new AbortController()
      setMaxListeners(0, abort.signal)
      await apply(registry, create('a:x'), create('a:y'))
    })
    afterEach(async () => {
      abort.abort()
      await registry.close()
      await opened.close()
    })

    const follow = (entry = x, by = registry) => new Following(by.instances.follow(entry, abort.signal))
    const acquire = (name: string, ttlSeconds = 60, metadata?: unknown) =>
      registry.instances.acquire({ entry: x, name, ttlSeconds, metadata })

    it('starts with the live instances, in the order of their tokens, and says that these are all', async () => {
      await registry.instances.acquire({ entry: parseEntryId('a:y'), name: 'elsewhere', ttlSeconds: 60 })
      for (const name of ['c', 'a', 'b']) await acquire(name)
      const following = follow()
      expect(await following.next()).toMatchObject({
        entryId: 'a:x',
        reset: true,
        synced: true,
        changes: [{ kind: 'LIVE' }, { kind: 'LIVE' }, { kind: 'LIVE' }],
      })
      expect([...following.held.values()].map(({ name }) => name)).toEqual(['c', 'a', 'b'])
    })

    it('starts empty if nothing is live, also if there is no such entry yet', async () => {
      expect(await follow().next()).toEqual({ entryId: 'a:x', reset: true, synced: true, changes: [] })
      const later = parseEntryId('later:on')
      const following = follow(later)
      expect(await following.next()).toMatchObject({ changes: [], synced: true })
      await apply(registry, create('later:on'))
      await registry.instances.acquire({ entry: later, name: 'one', ttlSeconds: 60 })
      expect((await following.next()).changes).toMatchObject([{ kind: 'ACQUIRED', instance: { name: 'one' } }])
    })

    it('reports each instance as it is acquired, renewed, released or expired', async () => {
      const following = follow()
      await following.next()
      const one = await acquire('one', 60)
      const { id, fencingToken, expiresAt } = one
      expect(await following.next()).toMatchObject({
        reset: false,
        synced: true,
        changes: [{ kind: 'ACQUIRED', instance: { id, name: 'one', fencingToken, expiresAt } }],
      })
      await sleep(5)
      const renewed = await registry.instances.renew(one.id, 90)
      expect((await following.next()).changes).toEqual([{ kind: 'RENEWED', instance: renewed }])
      await registry.instances.release(one.id)
      expect((await following.next()).changes).toMatchObject([{ kind: 'ENDED', instance: { id: one.id } }])
      await acquire('two')
      await following.next()
      const { type } = await registry.applyChangeset(
        { operations: [{ kind: 'DELETE', id: 'a:x', force: true }] },
        { author: null },
      )
      expect(type).toBe('applied')
      expect((await following.next()).changes).toMatchObject([{ kind: 'ENDED', instance: { name: 'two' } }])
      await apply(registry, create('a:x'))
      await acquire('two')
      expect((await following.next()).changes).toMatchObject([{ kind: 'ACQUIRED', instance: { name: 'two' } }])
    })

    it('reports that an instance expired, without any request', async () => {
      const following = follow()
      const { expiresAt } = await acquire('short', 1)
      await acquire('long', 60)
      await following.until(({ held }) => held.size === 2)
      expect((await following.next()).changes).toMatchObject([{ kind: 'EXPIRED', instance: { name: 'short' } }])
      const { now } = await registry.history.instances.live([])
      expect(now.getTime()).toBeGreaterThanOrEqual(expiresAt.getTime())
    })

    it('reports a name that another instance claimed as one that ended and one that was acquired', async () => {
      const following = follow()
      const first = await acquire('one', 1)
      await following.until(({ held }) => held.size === 1)
      await sleep(1_005)
      const second = await acquire('one', 30)
      await following.until(({ kinds }) => kinds.length >= 3)
      expect(following.kinds.slice(-2)).toEqual(['EXPIRED', 'ACQUIRED'])
      expect([...following.held.keys()]).toEqual([second.id])
      expect(second.fencingToken).toBeGreaterThan(first.fencingToken)
    })

    it('sends many in pages that are consistent with what changes meanwhile', async () => {
      const all = await Promise.all(Array.from({ length: 1_300 }, (_, i) => acquire(`n${i}`)))
      const following = follow()
      expect(await following.next()).toMatchObject({ reset: true, synced: false })
      expect(following.held.size).toBe(500)
      // Some of these were sent already, some not yet.
      await Promise.all(all.filter((_, i) => i % 3 === 0).map(({ id }) => registry.instances.release(id)))
      await acquire('new')
      await following.until(
        ({ batches, held }) =>
          batches.at(-1)!.synced && [...held.values()].some(({ name }) => name === 'new') && held.size === 867,
      )
      const { of } = await registry.history.instances.live([x])
      expect([...following.held.keys()].sort()).toEqual(
        of
          .get(x)!
          .map(({ id }) => id)
          .sort(),
      )
      expect(following.batches.every(({ changes }) => changes.length <= 500)).toBe(true)
    })

    it('sends instances with large metadata in pages of about a megabyte', async () => {
      for (let i = 0; i < 6; i++) await acquire(`n${i}`, 60, 'x'.repeat(400_000))
      const following = follow()
      await following.until(({ held }) => held.size === 6)
      expect(following.batches.map(({ changes }) => changes.length)).toEqual([2, 2, 2])
    })

    it('restarts for a follower that missed too much, and is right again', async () => {
      const slow = follow()
      await slow.next()
      const fast = follow()
      await fast.next()
      for (let round = 0; round < 6; round++) {
        const all = await Promise.all(Array.from({ length: 400 }, (_, i) => acquire(`r${round} n${i}`)))
        await fast.until(({ held }) => all.every(({ id }) => held.has(id)))
        await Promise.all(all.slice(round).map(({ id }) => registry.instances.release(id)))
        await fast.until(({ held }) => !held.has(all.at(-1)!.id) && held.size === (round * (round + 1)) / 2)
      }
      await slow.until(({ batches, held }) => batches.at(-1)!.synced && held.size === 15)
      expect(slow.batches.filter(({ reset }) => reset)).toHaveLength(2)
      expect(slow.names).toEqual(fast.names)
      expect(fast.batches.filter(({ reset }) => reset)).toHaveLength(1)
    })

    it('makes no query while no followed instance is live', async () => {
      const streams = Array.from({ length: 20 }, () => follow())
      for (const following of streams) await following.next()
      await sleep(600)
      const before = opened.reads()
      await sleep(1_500)
      expect(opened.reads()).toBe(before)
      await acquire('one', 60)
      for (const following of streams) await following.next()
      expect(opened.reads() - before).toBeLessThanOrEqual(6)
    })

    it('reports what happens on another gateway', async () => {
      if (opened.another === null) return
      const other = registryOver(await opened.another())
      try {
        const following = follow()
        await following.next()
        const one = await other.instances.acquire({ entry: x, name: 'there', ttlSeconds: 60 })
        const { id, fencingToken } = one
        expect((await following.next()).changes).toMatchObject([
          { kind: 'ACQUIRED', instance: { id, fencingToken, name: 'there' } },
        ])
        const there = follow(x, other)
        await there.next()
        expect(there.names).toEqual(['there'])
        await registry.instances.renew(one.id, 80)
        expect((await there.next()).changes).toMatchObject([{ kind: 'RENEWED' }])
        await registry.instances.release(one.id)
        expect((await there.next()).changes).toMatchObject([{ kind: 'ENDED' }])
      } finally {
        await other.close()
        await other.history.close()
      }
    })

    it('ends at once when its reader returns, and leaves nothing behind', async () => {
      const following = follow()
      await following.next()
      const waiting = following.stream.next()
      await following.stream.return!()
      expect(await waiting).toEqual({ done: true, value: undefined })
      await acquire('one')
      expect((await follow().next()).changes).toHaveLength(1)
    })

    it('sends nothing while nothing happens', async () => {
      await acquire('one', 60)
      const following = follow()
      await following.next()
      expect(await isSilent(following.stream, 400)).toBe(true)
    })
  })
}
