import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EntryId, parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { Instance } from '../../../src/core/entry/instance.js'
import type { History } from '../../../src/store/contract/history.js'
import type { CommitOutcome, CommitRequest } from '../../../src/store/contract/history-writer.js'
import type { AcquireRequest } from '../../../src/store/contract/instances.js'
import {
  apply,
  changeset,
  commitAll,
  commitOne,
  create,
  expectApplied,
  problemCodes,
  remove,
  revertOf,
  update,
  versionMove,
} from '../../support/commit-requests.js'

export interface OpenedInstances {
  readonly history: History
  /** Opens the same registry as another gateway does; null if the backend cannot. */
  readonly another: (() => Promise<History>) | null
  /** Moves the store's clock forward. */
  pass(seconds: number): Promise<void>
  close(): Promise<void>
}

export const entry = (text: string): EntryId => parseEntryId(text)

export function acquire(
  history: History,
  entryId: string,
  name: string,
  rest: Partial<AcquireRequest> = {},
): Promise<Instance> {
  return history.instances.acquire({
    id: randomUUID(),
    entryId: entry(entryId),
    name,
    ttlSeconds: 60,
    metadataText: null,
    ...rest,
  })
}

/** The error's code, or `none`. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'none',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
}

export async function namesOf(history: History, entryId: string): Promise<string[]> {
  const { of } = await history.instances.live([entry(entryId)])
  return [...(of.get(entry(entryId)) ?? [])].map(({ name }) => name)
}

const forced = (id: string) => ({ ...remove(id), force: true })
const inUse = (outcome: CommitOutcome) =>
  outcome.type === 'applied'
    ? []
    : outcome.problems.map(({ code, entryId, message }) => [code, entryId, /\d+ live instances?/.exec(message)?.[0]])

/** The contract of instances, for every backend. */
export function describeInstances(backend: string, open: () => Promise<OpenedInstances>): void {
  describe(`instances in ${backend}`, () => {
    let opened: OpenedInstances
    let history: History
    beforeEach(async () => {
      opened = await open()
      history = opened.history
      await apply(history, create('a:x'), create('a:y'), create('b:z'))
    })
    afterEach(() => opened.close())

    const refused = async (request: CommitRequest) => inUse(await commitOne(history, request))

    it('are acquired for a time and listed with their expiry', async () => {
      const before = (await history.instances.live([])).now.getTime()
      const one = await acquire(history, 'a:x', 'one', { ttlSeconds: 90, metadataText: '{"é":[1,-0,"\\u0001"]}' })
      expect(one).toMatchObject({ entryId: 'a:x', name: 'one', fencingToken: 1, metadataBytes: 22 })
      expect(one.expiresAt.getTime() - one.acquiredAt.getTime()).toBe(90_000)
      expect(one.acquiredAt.getTime()).toBeGreaterThanOrEqual(before - 1)
      const two = await acquire(history, 'a:x', 'two')
      const { now, of } = await history.instances.live([entry('a:x'), entry('a:y'), entry('no:such')])
      expect([...of]).toEqual([['a:x', [one, two]]])
      expect(now.getTime()).toBeGreaterThanOrEqual(one.acquiredAt.getTime() - 1)
      expect(await history.instances.byId([two.id, randomUUID(), one.id])).toEqual(
        new Map([
          [one.id, one],
          [two.id, two],
        ]),
      )
      expect([...(await history.instances.metadata([one.id, two.id, randomUUID()]))]).toEqual([
        [one.id, '{"é":[1,-0,"\\u0001"]}'],
      ])
    })

    it('require an entry at the head', async () => {
      expect(await codeOf(acquire(history, 'no:such', 'one'))).toBe('ENTRY_NOT_FOUND')
      await apply(history, remove('a:y'))
      expect(await codeOf(acquire(history, 'a:y', 'one'))).toBe('ENTRY_NOT_FOUND')
    })

    it('have names that are unique among the live instances of the entry', async () => {
      const first = await acquire(history, 'a:x', 'one', { ttlSeconds: 5 })
      expect(await codeOf(acquire(history, 'a:x', 'one'))).toBe('INSTANCE_EXISTS')
      await acquire(history, 'a:y', 'one')
      await acquire(history, 'a:x', 'One')
      await opened.pass(5)
      const second = await acquire(history, 'a:x', 'one')
      expect(second.fencingToken).toBeGreaterThan(first.fencingToken)
      expect(await codeOf(history.instances.renew(first.id, null))).toBe('INSTANCE_EXPIRED')
      expect(await history.instances.release(first.id)).toBe(false)
      expect(await namesOf(history, 'a:x')).toEqual(['One', 'one'])
    })

    it('are renewed for their previous duration or for another', async () => {
      const { id, acquiredAt, fencingToken } = await acquire(history, 'a:x', 'one', {
        ttlSeconds: 10,
        metadataText: '"kept"',
      })
      for (let i = 0; i < 3; i++) {
        await opened.pass(6)
        const { now: before } = await history.instances.live([])
        const renewed = await history.instances.renew(id, null)
        const { now: after } = await history.instances.live([])
        expect(renewed.expiresAt.getTime()).toBeGreaterThanOrEqual(before.getTime() + 9_999)
        expect(renewed.expiresAt.getTime()).toBeLessThanOrEqual(after.getTime() + 10_001)
        expect(renewed).toMatchObject({ id, fencingToken, name: 'one' })
      }
      const longer = await history.instances.renew(id, 100)
      expect(longer.metadataBytes).toBe(6)
      await opened.pass(60)
      await history.instances.renew(id, null)
      await opened.pass(60)
      expect(await namesOf(history, 'a:x')).toEqual(['one'])
      expect((await history.instances.metadata([id])).get(id)).toBe('"kept"')
      await opened.pass(41)
      expect(await namesOf(history, 'a:x')).toEqual([])
      expect(await codeOf(history.instances.renew(id, null))).toBe('INSTANCE_EXPIRED')
      expect((await history.instances.metadata([id])).size).toBe(0)
      expect((await history.instances.byId([id])).size).toBe(0)
      expect(acquiredAt).toBeInstanceOf(Date)
    })

    it('are released once', async () => {
      const { id } = await acquire(history, 'a:x', 'one')
      expect(await history.instances.release(id)).toBe(true)
      expect((await history.instances.byId([id])).size).toBe(0)
      expect(await history.instances.release(id)).toBe(false)
      expect(await history.instances.release(randomUUID())).toBe(false)
      expect(await codeOf(history.instances.renew(id, 10))).toBe('INSTANCE_EXPIRED')
      await acquire(history, 'a:x', 'one')
    })

    it('have tokens that grow forever, even if the entry is deleted and created again', async () => {
      const tokens: number[] = []
      for (let round = 0; round < 3; round++) {
        for (const name of ['one', 'two']) tokens.push((await acquire(history, 'a:x', name)).fencingToken)
        await codeOf(acquire(history, 'a:x', 'one'))
        await apply(history, forced('a:x'))
        await history.instances.sweep()
        await apply(history, create('a:x', 'other.kind'))
      }
      // A refused call takes no token.
      expect(tokens).toEqual([1, 2, 3, 4, 5, 6])
      expect((await acquire(history, 'a:y', 'one')).fencingToken).toBe(1)
    })

    it('prevent every kind of delete of their entry, with their number in the problem', async () => {
      await apply(history, create('a:new'))
      await acquire(history, 'a:x', 'one')
      await acquire(history, 'a:x', 'two')
      await acquire(history, 'a:new', 'one')
      expect(await refused(changeset([remove('a:x'), remove('a:y'), remove('no:such')]))).toEqual([
        ['ENTRY_IN_USE', 'a:x', '2 live instances'],
        ['ENTRY_NOT_FOUND', 'no:such', undefined],
      ])
      expect(await refused(changeset([remove('a:x')], { dryRun: true }))).toEqual([
        ['ENTRY_IN_USE', 'a:x', '2 live instances'],
      ])
      expect(await refused(versionMove(1))).toEqual([['ENTRY_IN_USE', 'a:new', '1 live instance']])
      expect(await refused(versionMove(0))).toEqual([
        ['ENTRY_IN_USE', 'a:new', '1 live instance'],
        ['ENTRY_IN_USE', 'a:x', '2 live instances'],
      ])
      expect(await refused(versionMove(0, { dryRun: true }))).toHaveLength(2)
      expect(await refused(revertOf(2))).toEqual([['ENTRY_IN_USE', 'a:new', '1 live instance']])
      expect(await refused(revertOf(2, { dryRun: true }))).toHaveLength(1)
      expect((await history.head()).revision).toBe(2)

      await opened.pass(61)
      expectApplied(await commitOne(history, changeset([remove('a:x')])))
      expectApplied(await commitOne(history, revertOf(2)))
    })

    it('are reported with the operation and the current entry', async () => {
      await acquire(history, 'a:x', 'one')
      const outcome = await commitOne(history, changeset([create('c:c'), remove('a:x')]))
      expect(outcome).toMatchObject({
        type: 'refused',
        problems: [{ code: 'ENTRY_IN_USE', operation: 1, current: { id: 'a:x', revision: 1 } }],
      })
    })

    it('end with an entry that is deleted with force, by a changeset, a version or a revert', async () => {
      const force = { force: true } as const
      const deletes: Record<string, () => CommitRequest> = {
        'a:x': () => changeset([forced('a:x'), update('a:y')]),
        'a:n1': () => ({ ...versionMove(1), action: { type: 'version', version: 1, ...force } }),
        'a:n2': () => ({ ...revertOf(0), action: { type: 'revert', version: versions.get('a:n2')!, ...force } }),
      }
      const versions = new Map<string, number>()
      for (const [id, request] of Object.entries(deletes)) {
        if (id !== 'a:x') versions.set(id, (await apply(history, create(id))).head.version)
        const held = await acquire(history, id, 'one')
        const dry = await commitOne(history, { ...request(), dryRun: true })
        expect(expectApplied(dry).dryRun).toBe(true)
        expect(await namesOf(history, id)).toEqual(['one'])
        expectApplied(await commitOne(history, request()))
        expect(await namesOf(history, id)).toEqual([])
        expect(await codeOf(history.instances.renew(held.id, null))).toBe('INSTANCE_EXPIRED')
        // The entry created again has no instances.
        await apply(history, create(id))
        expect(await namesOf(history, id)).toEqual([])
        await apply(history, remove(id))
      }
    })

    it('stay with an entry that is updated, or replaced with the same kind', async () => {
      const held = await acquire(history, 'a:x', 'one')
      await apply(history, update('a:x', 'thing', { n: 1 }))
      await apply(history, remove('a:x'), create('a:x', 'thing'))
      expectApplied(await commitOne(history, versionMove(1)))
      expectApplied(await commitOne(history, versionMove(3)))
      expect((await history.instances.renew(held.id, null)).fencingToken).toBe(held.fencingToken)
    })

    // A replacement by another kind was applied, and the instance lived on, of an entry that was no longer what it used.
    it('prevent and end with a replacement by another kind, by a changeset, a version or a revert', async () => {
      const replacement = (forces: boolean) => [forces ? forced('a:x') : remove('a:x'), create('a:x', 'other.kind')]
      await acquire(history, 'a:x', 'one')
      const refused = await commitOne(history, changeset(replacement(false)))
      expect(refused).toMatchObject({ type: 'refused', problems: [{ code: 'ENTRY_IN_USE', current: { id: 'a:x' } }] })
      expect(await namesOf(history, 'a:x')).toEqual(['one'])
      const { head } = expectApplied(await commitOne(history, changeset(replacement(true))))
      expect(await namesOf(history, 'a:x')).toEqual([])

      const back: Record<string, (force: boolean) => CommitRequest> = {
        version: (force) => ({ ...versionMove(1), action: { type: 'version', version: 1, force } }),
        revert: (force) => ({ ...revertOf(0), action: { type: 'revert', version: head.version, force } }),
      }
      for (const request of Object.values(back)) {
        expectApplied(await commitOne(history, versionMove(head.version)))
        await acquire(history, 'a:x', 'two')
        expect(problemCodes(await commitOne(history, request(false)))).toEqual(['ENTRY_IN_USE'])
        expect(await namesOf(history, 'a:x')).toEqual(['two'])
        expectApplied(await commitOne(history, request(true)))
        expect(await namesOf(history, 'a:x')).toEqual([])
      }
    })

    it('are counted after the earlier requests of a batch', async () => {
      await acquire(history, 'a:x', 'one')
      const outcomes = await commitAll(history, [
        changeset([remove('a:x')]),
        changeset([forced('a:x')]),
        changeset([create('a:x')]),
        changeset([remove('a:x')]),
        changeset([create('a:x')]),
        versionMove(0),
        versionMove(1),
      ])
      expect(outcomes.map(problemCodes)).toEqual([['ENTRY_IN_USE'], [], [], [], [], [], []])
      expect(await namesOf(history, 'a:x')).toEqual([])
    })

    it('do not end with a forced delete that is refused for another reason', async () => {
      await acquire(history, 'a:x', 'one')
      expect(problemCodes(await commitOne(history, changeset([forced('a:x'), remove('no:such')])))).toEqual([
        'ENTRY_NOT_FOUND',
      ])
      expect(await namesOf(history, 'a:x')).toEqual(['one'])
    })

    it('are not part of history', async () => {
      const before = await history.head()
      const { id } = await acquire(history, 'a:x', 'one')
      await history.instances.renew(id, null)
      await history.instances.release(id)
      await acquire(history, 'a:x', 'two')
      expect(await history.head()).toEqual(before)
      expect(await history.verify()).toMatchObject({ corruptions: [] })
    })

    it('are removed by a sweep after they expire, which returns the time to the next expiry', async () => {
      expect(await history.instances.sweep()).toBeNull()
      for (let i = 0; i < 20; i++) await acquire(history, 'a:x', `short ${i}`, { ttlSeconds: 5 })
      await acquire(history, 'a:y', 'long', { ttlSeconds: 100 })
      expect(await history.instances.sweep()).toBeLessThanOrEqual(5_000)
      await opened.pass(10)
      const next = await history.instances.sweep()
      expect(next).toBeGreaterThan(80_000)
      expect(next).toBeLessThanOrEqual(90_000)
      expect(await namesOf(history, 'a:y')).toEqual(['long'])
    })

    it('notify when they are acquired, renewed, released or ended', async () => {
      const heard: (string | null)[] = []
      const stop = history.instances.onChange((id) => heard.push(id))
      const hears = async (work: () => Promise<unknown>) => {
        heard.length = 0
        await work()
        await expect.poll(() => heard, { interval: 5 }).toContain('a:x')
        return heard
      }
      let held: Instance | undefined
      expect(
        await hears(async () => {
          held = await acquire(history, 'a:x', 'one')
        }),
      ).toContain('a:x')
      expect(await hears(() => history.instances.renew(held!.id, null))).toContain('a:x')
      expect(await hears(() => history.instances.release(held!.id))).toContain('a:x')
      await acquire(history, 'a:x', 'two')
      expect(await hears(() => apply(history, forced('a:x')))).toContain('a:x')
      stop()
    })

    it('of one name are acquired by exactly one of many concurrent calls at any gateways', async () => {
      const gateways = [history, ...(opened.another === null ? [] : [await opened.another(), await opened.another()])]
      try {
        const tokens: number[] = []
        for (let round = 0; round < 10; round++) {
          const tries = await Promise.allSettled(
            Array.from({ length: 30 }, (_, i) => acquire(gateways[i % gateways.length]!, 'a:x', `round ${round}`)),
          )
          const won = tries.flatMap((tried) => (tried.status === 'fulfilled' ? [tried.value] : []))
          expect(won).toHaveLength(1)
          tokens.push(won[0]!.fencingToken)
          for (const tried of tries)
            if (tried.status === 'rejected') expect(tried.reason).toMatchObject({ code: 'INSTANCE_EXISTS' })
        }
        expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
      } finally {
        for (const gateway of gateways.slice(1)) await gateway.close()
      }
    })

    it('have different tokens if acquired at once at many gateways', async () => {
      const gateways = [history, ...(opened.another === null ? [] : [await opened.another(), await opened.another()])]
      try {
        const won = await Promise.all(
          Array.from({ length: 300 }, (_, i) =>
            acquire(gateways[i % gateways.length]!, i % 2 === 0 ? 'a:x' : 'a:y', `name ${i}`),
          ),
        )
        for (const id of ['a:x', 'a:y']) {
          const tokens = won.filter(({ entryId }) => entryId === id).map(({ fencingToken }) => fencingToken)
          expect(new Set(tokens).size).toBe(150)
        }
      } finally {
        for (const gateway of gateways.slice(1)) await gateway.close()
      }
    })

    it('never exist for a deleted entry, in any interleaving of acquires, deletes and writes', async () => {
      const gateways = [history, ...(opened.another === null ? [] : [await opened.another()])]
      try {
        const ids = Array.from({ length: 8 }, (_, i) => `race:${i}`)
        await apply(history, ...ids.map((id) => create(id)))
        let deleted = 0
        let acquired = 0
        for (let round = 0; round < 20; round++) {
          const outcomes = await Promise.all(
            ids.flatMap((id, i) => [
              codeOf(acquire(gateways[(i + round) % gateways.length]!, id, 'racer')),
              commitOne(
                gateways[i % gateways.length]!,
                i % 3 === 2 ? changeset([update(id)]) : changeset([i % 3 === 1 ? forced(id) : remove(id)]),
              ).then((outcome) => outcome.type),
            ]),
          )
          deleted += outcomes.filter((outcome) => outcome === 'applied').length
          acquired += outcomes.filter((outcome) => outcome === 'none').length
          const present = await history.entries(ids.map(entry), 'head')
          const { of } = await history.instances.live(ids.map(entry))
          for (const [i, id] of ids.entries()) {
            const exists = present.has(entry(id))
            if (!exists) expect([id, of.get(entry(id))]).toEqual([id, undefined])
            // One of the two is first: an unforced delete was refused, or the acquire was.
            if (i % 3 === 0) expect([id, exists, of.has(entry(id))]).toEqual([id, exists, exists])
            // No call deletes it, so the acquire succeeds beside any other write.
            if (i % 3 === 2) expect([id, outcomes[2 * i]]).toEqual([id, 'none'])
          }
          for (const [, held] of of) for (const { id } of held) expect(await history.instances.release(id)).toBe(true)
          const gone = ids.filter((id) => !present.has(entry(id)))
          if (gone.length > 0) await apply(history, ...gone.map((id) => create(id)))
        }
        expect(deleted).toBeGreaterThan(20)
        expect(acquired).toBeGreaterThan(20)
      } finally {
        for (const gateway of gateways.slice(1)) await gateway.close()
      }
    })
  })
}
