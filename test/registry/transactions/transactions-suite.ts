import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../src/core/criteria/criteria.js'
import type { ParticipantAnswer } from '../../../src/registry/participants/participant.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { TransactionsOptions } from '../../../src/registry/transactions/transactions.js'
import type { History } from '../../../src/store/contract/history.js'
import type { CommitOutcome } from '../../../src/store/contract/history-writer.js'
import { deferred, directoryOf, recordingBus, witness } from '../participants/participant-fixture.js'
import { create, registryOver, remove, update } from '../registry-fixture.js'

const nobody = { author: null }

/** SPEC 4, sentence by sentence, over a store. */
export function transactionSuite(
  name: string,
  open: () => Promise<{ history: History; close(): Promise<void> }>,
): void {
  describe(`transactions over ${name}`, () => {
    let store: { history: History; close(): Promise<void> }
    const registries: Registry[] = []
    const registry = (transactions: TransactionsOptions): Registry => {
      const opened = registryOver(store.history, { transactions })
      registries.push(opened)
      return opened
    }
    const seed = (...operations: ReturnType<typeof create>[]) =>
      registryOver(store.history).applyChangeset({ operations }, nobody)

    beforeEach(async () => {
      store = await open()
    })
    afterEach(async () => {
      await Promise.all(registries.splice(0).map((each) => each.close()))
      await store.close()
    })

    it('notify begin first, offer each operation in dependency order, and notify the commit', async () => {
      const all = witness('all')
      const bus = recordingBus()
      const outcome = await registry({ participants: directoryOf(all), bus }).applyChangeset(
        {
          operations: [create('a:1', { depends_on: ['a:2'] }), create('a:2', { depends_on: ['a:3'] }), create('a:3')],
        },
        nobody,
      )
      expect(outcome).toMatchObject({ type: 'applied', revision: 1 })
      expect(all.story()).toEqual([
        '(registry.begin)',
        'entry.create a:3',
        'entry.create a:2',
        'entry.create a:1',
        '(registry.commit)',
      ])
      expect(bus.story()).toEqual([
        'registry.begin',
        'entry.create a:3',
        'entry.accept a:3 by all',
        'entry.create a:2',
        'entry.accept a:2 by all',
        'entry.create a:1',
        'entry.accept a:1 by all',
        'registry.commit',
      ])
      expect(bus.events.at(-1)).toMatchObject({
        system: 'registry',
        revision: 1,
        operationCount: 3,
        path: all.heard[0]!.transaction,
      })
      expect(new Set(all.heard.map(({ id }) => id)).size).toBe(5)
      expect(new Set(all.heard.map(({ transaction }) => transaction)).size).toBe(1)
      expect(all.heard[1]).toMatchObject({
        entry: { id: 'a:3' },
        original: null,
        awaitsAnswer: true,
        deadline: expect.any(Date) as Date,
      })
    })

    it('ask a participant only about the kinds that it names, and notify it of nothing else', async () => {
      const services = witness('services', undefined, { kinds: ['service.**'] })
      const others = witness('others', undefined, { kinds: ['other'] })
      await registry({ participants: directoryOf(services, others) }).applyChangeset(
        {
          operations: [create('a:1', {}, null, 'service.http'), create('a:2', {}, null, 'function')],
        },
        nobody,
      )
      expect(services.story()).toEqual(['(registry.begin)', 'entry.create a:1', '(registry.commit)'])
      expect(others.heard).toEqual([])
    })

    it('refuse the whole changeset on one rejection, with the participant and its reason', async () => {
      const picky = witness('picky', ({ entry }) => (entry?.id === 'a:2' ? 'not this one' : true))
      const easy = witness('easy', undefined, { kinds: ['easy'] })
      const bus = recordingBus()
      const outcome = await registry({ participants: directoryOf(picky, easy), bus }).applyChangeset(
        {
          operations: [create('a:2', {}, null, 'easy'), create('a:1', {}, null, 'easy')],
        },
        nobody,
      )
      expect(outcome).toMatchObject({
        type: 'refused',
        problems: [
          {
            code: 'REJECTED',
            participant: 'picky',
            entryId: 'a:2',
            operation: 0,
            message: expect.stringContaining('not this one') as string,
          },
        ],
      })
      expect(await store.history.head()).toEqual({ revision: 0, version: 0 })
      expect(picky.story()).toEqual([
        '(registry.begin)',
        'entry.create a:1',
        'entry.create a:2',
        '(entry.delete a:1)',
        '(registry.discard)',
      ])
      expect(easy.story()).toEqual([
        '(registry.begin)',
        'entry.create a:1',
        'entry.create a:2',
        '(entry.delete a:2)',
        '(entry.delete a:1)',
        '(registry.discard)',
      ])
      expect(bus.story()).toContain('entry.reject a:2 by picky: not this one')
      expect(bus.events.at(-1)).toMatchObject({
        kind: 'registry.discard',
        error: expect.stringContaining('not this one') as string,
      })
    })

    it('notify inverse operations in reverse order, with the original contents', async () => {
      await seed(create('a:1', { n: 1 }), create('a:2', { n: 1 }))
      const all = witness('all', ({ kind }) => kind !== 'entry.create')
      await registry({ participants: directoryOf(all) }).applyChangeset(
        { operations: [remove('a:1'), update('a:2', { n: 2 }), create('a:3')] },
        nobody,
      )
      expect(all.story()).toEqual([
        '(registry.begin)',
        'entry.delete a:1',
        'entry.update a:2',
        'entry.create a:3',
        '(entry.update a:2)',
        '(entry.create a:1)',
        '(registry.discard)',
      ])
      const [, , , , undone, back] = all.heard
      expect(undone).toMatchObject({
        awaitsAnswer: false,
        deadline: null,
        entry: { content: { metaText: '{"n":1}' } },
        original: { content: { metaText: '{"n":2}' } },
      })
      expect(back).toMatchObject({ entry: { content: { metaText: '{"n":1}' } }, original: null })
    })

    it('collect the rejections of all operations that do not depend on a refused one', async () => {
      const no = witness('no', ({ entry }) => (['a:1', 'b:1'].includes(entry!.id) ? `not ${entry!.id}` : true))
      const operations = [create('a:1'), create('a:2', { depends_on: ['a:1'] }), create('b:1'), create('c:1')]
      const outcome = await registry({ participants: directoryOf(no) }).applyChangeset({ operations }, nobody)
      if (outcome.type !== 'refused') throw new Error('applied')
      expect(outcome.problems.map(({ entryId, operation }) => [entryId, operation])).toEqual([
        ['a:1', 0],
        ['b:1', 2],
      ])
      expect(no.story()).not.toContain('entry.create a:2')
      expect(no.story().at(-2)).toBe('(entry.delete c:1)')
    })

    it('fail with PARTICIPANT_TIMEOUT if a participant does not answer', async () => {
      const silent = witness('silent', () => new Promise<ParticipantAnswer>(() => {}), { timeoutMs: 60 })
      const outcome = await registry({ participants: directoryOf(silent) }).applyChangeset(
        { operations: [create('a:1'), create('a:2')] },
        nobody,
      )
      expect(outcome).toMatchObject({
        type: 'refused',
        problems: [{ code: 'PARTICIPANT_TIMEOUT', participant: 'silent', entryId: 'a:1' }],
      })
      expect(silent.story()).toEqual(['(registry.begin)', 'entry.create a:1', '(registry.discard)'])
    })

    it('fail with PARTICIPANT_FAILED at once if a participant fails', async () => {
      // Far longer than the test may take: a gateway that waited for the deadline would fail it.
      const ms = 600_000
      const broken = witness('broken', () => Promise.reject(new Error('out of order')), { timeoutMs: ms })
      const outcome = await registry({
        participants: directoryOf(broken),
        operationMs: ms,
        totalMs: ms,
      }).applyChangeset({ operations: [create('a:1')] }, nobody)
      expect(outcome).toMatchObject({
        type: 'refused',
        problems: [
          {
            code: 'PARTICIPANT_FAILED',
            participant: 'broken',
            message: expect.stringContaining('out of order') as string,
          },
        ],
      })
    })

    it('ignore the silence or failure of a participant with onFailure pass, but not its rejection', async () => {
      const silent = witness('silent', () => new Promise<ParticipantAnswer>(() => {}), {
        timeoutMs: 50,
        onFailure: 'pass',
      })
      const broken = witness('broken', ({ entry }) => (entry!.id === 'a:no' ? 'no' : Promise.reject(new Error('x'))), {
        onFailure: 'pass',
      })
      const open = registry({ participants: directoryOf(silent, broken) })
      expect(await open.applyChangeset({ operations: [create('a:1')] }, nobody)).toMatchObject({
        type: 'applied',
        revision: 1,
      })
      expect(await open.applyChangeset({ operations: [create('a:no')] }, nobody)).toMatchObject({
        type: 'refused',
        problems: [{ code: 'REJECTED', participant: 'broken' }],
      })
    })

    it('have a total deadline besides that of each operation', async () => {
      const slow = witness('slow', async () => {
        await sleep(100)
        return { accept: true }
      })
      const outcome = await registry({ participants: directoryOf(slow), totalMs: 250 }).applyChangeset(
        {
          operations: [1, 2, 3, 4, 5].map((i) => create(`a:${i}`)),
        },
        nobody,
      )
      expect(outcome).toMatchObject({
        type: 'refused',
        problems: [{ code: 'PARTICIPANT_TIMEOUT', participant: 'slow' }],
      })
    })

    it('ask the participants of one operation at the same time', async () => {
      let inside = 0
      let most = 0
      const slow = (name: string) =>
        witness(name, async () => {
          most = Math.max(most, ++inside)
          await sleep(30)
          inside--
          return { accept: true }
        })
      await registry({ participants: directoryOf(slow('a'), slow('b'), slow('c')) }).applyChangeset(
        { operations: [create('a:1'), create('a:2')] },
        nobody,
      )
      expect(most).toBe(3)
    })

    it('offer no entries of internal kinds, whose transactions still begin and commit on the bus', async () => {
      const all = witness('all')
      const bus = recordingBus()
      const open = registry({ participants: directoryOf(all), bus, internalKinds: ['registry.entry'] })
      expect(
        await open.applyChangeset({ operations: [create('a:1', {}, null, 'registry.entry')] }, nobody),
      ).toMatchObject({ revision: 1 })
      expect(await open.applyChangeset({ operations: [remove('a:1')] }, nobody)).toMatchObject({ revision: 2 })
      expect(all.heard).toEqual([])
      expect(bus.story()).toEqual(['registry.begin', 'registry.commit', 'registry.begin', 'registry.commit'])
      await open.applyChangeset({ operations: [create('a:2', {}, null, 'registry.entry'), create('a:3')] }, nobody)
      expect(all.story()).toEqual(['(registry.begin)', 'entry.create a:3', '(registry.commit)'])
    })

    it('pass kinds without a participant at once, and publish them on the bus', async () => {
      const other = witness('other', undefined, { kinds: ['other'] })
      const bus = recordingBus()
      await registry({ participants: directoryOf(other), bus }).applyChangeset({ operations: [create('a:1')] }, nobody)
      expect(other.heard).toEqual([])
      expect(bus.story()).toEqual(['registry.begin', 'entry.create a:1', 'registry.commit'])
    })

    it('end a dry run in a discard with the error "dry run", offer everything, and change nothing', async () => {
      const all = witness('all')
      const bus = recordingBus()
      const open = registry({ participants: directoryOf(all), bus })
      const outcome = await open.applyChangeset({ operations: [create('a:1')], dryRun: true }, nobody)
      expect(outcome).toMatchObject({
        type: 'applied',
        dryRun: true,
        revision: null,
        delta: [{ kind: 'CREATE', id: 'a:1' }],
      })
      expect(all.story()).toEqual(['(registry.begin)', 'entry.create a:1', '(entry.delete a:1)', '(registry.discard)'])
      expect(bus.events.at(-1)).toMatchObject({ kind: 'registry.discard', error: 'dry run' })
      expect(await store.history.head()).toEqual({ revision: 0, version: 0 })
      const no = witness('no', () => false)
      const refused = await registry({ participants: directoryOf(no) }).applyChangeset(
        { operations: [create('a:1'), create('a:2', { depends_on: ['a:1'] })], dryRun: true },
        nobody,
      )
      expect(refused).toMatchObject({ type: 'refused', problems: [{ entryId: 'a:1' }, { entryId: 'a:2' }] })
    })

    it('end a dry run without participants in a discard too', async () => {
      const bus = recordingBus()
      await registry({ bus }).applyChangeset({ operations: [create('a:1')], dryRun: true }, nobody)
      expect(bus.story()).toEqual(['registry.begin', 'entry.create a:1', 'registry.discard: dry run'])
    })

    it('offer the move to a version as the operations that it takes', async () => {
      await seed(create('a:1'))
      await seed(create('a:2'), { kind: 'DELETE', id: 'a:1' }, create('a:1', {}, null, 'other.kind'))
      const all = witness('all')
      const open = registry({ participants: directoryOf(all) })
      if (store.history.hasHistory) {
        expect(await open.applyVersion({ version: 1 }, nobody)).toMatchObject({ type: 'applied', revision: 3 })
        expect(all.story()).toEqual([
          '(registry.begin)',
          'entry.delete a:1',
          'entry.delete a:2',
          'entry.create a:1',
          '(registry.commit)',
        ])
        const no = witness('no', () => 'stay')
        expect(await registry({ participants: directoryOf(no) }).applyVersion({ version: 2 }, nobody)).toMatchObject({
          type: 'refused',
          problems: [
            { code: 'REJECTED', entryId: 'a:1' },
            { code: 'REJECTED', entryId: 'a:2' },
          ],
        })
        expect(await store.history.head()).toEqual({ revision: 3, version: 1 })
      }
    })

    it('notify the inverse and start again if another writer changed an original meanwhile', async () => {
      await seed(create('a:1', { n: 1 }), create('a:2', { n: 1 }))
      const plain = registryOver(store.history)
      const all = witness('all', (_, nth) =>
        nth === 1
          ? (async () => {
              await plain.applyChangeset({ operations: [update('a:1', { n: 5 }), create('z:1')] }, nobody)
              return { accept: true as const }
            })()
          : true,
      )
      const outcome = await registry({ participants: directoryOf(all) }).applyChangeset(
        { operations: [update('a:1', { n: 2 }), update('a:2', { n: 2 })] },
        nobody,
      )
      expect(outcome).toMatchObject({ type: 'applied', revision: 3 })
      expect(all.story()).toEqual([
        '(registry.begin)',
        'entry.update a:1',
        'entry.update a:2',
        '(entry.update a:2)',
        '(entry.update a:1)',
        'entry.update a:1',
        'entry.update a:2',
        '(registry.commit)',
      ])
      expect(all.heard[5]).toMatchObject({ original: { content: { metaText: '{"n":5}' } } })
    })

    it('commit if other writers changed something else', async () => {
      const plain = registryOver(store.history)
      const all = witness('all', async () => {
        await plain.applyChangeset({ operations: [create('z:1')] }, nobody)
        return { accept: true }
      })
      expect(
        await registry({ participants: directoryOf(all) }).applyChangeset({ operations: [create('a:1')] }, nobody),
      ).toMatchObject({ revision: 2 })
      expect(all.story()).toHaveLength(3)
    })

    it('end in CONFLICT after five tries', async () => {
      await seed(create('a:1', { n: 0 }))
      const plain = registryOver(store.history)
      let n = 1
      const all = witness('all', async () => {
        await plain.applyChangeset({ operations: [update('a:1', { n: n++ })] }, nobody)
        return { accept: true }
      })
      const outcome = await registry({ participants: directoryOf(all) }).applyChangeset(
        { operations: [update('a:1', { mine: true })] },
        nobody,
      )
      expect(outcome).toMatchObject({ type: 'refused', problems: [{ code: 'CONFLICT', entryId: 'a:1' }] })
      expect(all.heard.filter(({ awaitsAnswer }) => awaitsAnswer)).toHaveLength(5)
      expect(all.story().at(-1)).toBe('(registry.discard)')
    })

    it("report the store's problem if another writer made the operation impossible", async () => {
      const plain = registryOver(store.history)
      const all = witness('all', async () => {
        await plain.applyChangeset({ operations: [create('a:1')] }, nobody)
        return { accept: true }
      })
      const outcome = await registry({ participants: directoryOf(all) }).applyChangeset(
        { operations: [create('a:1')] },
        nobody,
      )
      expect(outcome).toMatchObject({ type: 'refused', problems: [{ code: 'ENTRY_EXISTS', operation: 0 }] })
      expect(all.story()).toEqual(['(registry.begin)', 'entry.create a:1', '(entry.delete a:1)', '(registry.discard)'])
    })

    it('ask no participant about a changeset that cannot be applied', async () => {
      const all = witness('all')
      const bus = recordingBus()
      const open = registry({ participants: directoryOf(all), bus })
      expect(await open.applyChangeset({ operations: [update('a:1')] }, nobody)).toMatchObject({
        type: 'refused',
        problems: [{ code: 'ENTRY_NOT_FOUND' }],
      })
      expect(await open.applyChangeset({ operations: [create('nothing')] }, nobody)).toMatchObject({
        type: 'refused',
        problems: [{ code: 'INVALID_ENTRY' }],
      })
      expect([all.heard, bus.events]).toEqual([[], []])
    })

    it('ask once for each idempotency key', async () => {
      const all = witness('all')
      const open = registry({ participants: directoryOf(all) })
      const input = { operations: [create('a:1')], idempotencyKey: 'k' }
      expect(await open.applyChangeset(input, nobody)).toMatchObject({ revision: 1, replayed: false })
      expect(await open.applyChangeset(input, nobody)).toMatchObject({ revision: 1, replayed: true })
      expect(all.heard).toHaveLength(3)
    })

    it('hold nothing while participants are asked: 200 wait while others read and write', async () => {
      const gate = deferred<ParticipantAnswer>()
      const slow = witness('slow', () => gate.promise, { kinds: ['slow.**'], timeoutMs: 20_000 })
      const open = registry({ participants: directoryOf(slow) })
      const waiting: Promise<CommitOutcome>[] = Array.from({ length: 200 }, (_, i) =>
        open.applyChangeset({ operations: [create(`slow:${i}`, {}, null, 'slow.thing')] }, nobody),
      )
      await expect.poll(() => slow.heard.filter(({ awaitsAnswer }) => awaitsAnswer).length).toBe(200)
      let settled = 0
      for (const each of waiting) void each.finally(() => (settled += 1))
      for (let i = 0; i < 50; i++) {
        await store.history.findEntries(
          EVERYTHING,
          'ID_ASC',
          { limit: 10, after: null, before: null, fromEnd: false },
          'head',
        )
      }
      expect(await open.applyChangeset({ operations: [create('other:1')] }, nobody)).toMatchObject({ revision: 1 })
      // All 50 reads and the write completed while all 200 were waiting.
      expect(settled).toBe(0)
      gate.resolve({ accept: true })
      const outcomes = await Promise.all(waiting)
      expect(outcomes.filter(({ type }) => type === 'applied')).toHaveLength(200)
      expect(await store.history.head()).toEqual({ revision: 201, version: 201 })
    })

    it('are ended by another gateway if theirs died: inverse and discard, or commit', async () => {
      await seed(create('a:1'))
      const gone = witness('all', (_, nth) => (nth === 1 ? new Promise<ParticipantAnswer>(() => {}) : true), {
        timeoutMs: 60_000,
      })
      const dying = registryOver(store.history, { transactions: { participants: directoryOf(gone), leaseMs: 60_000 } })
      void dying.applyChangeset({ operations: [create('b:1'), create('b:2')] }, nobody).catch(() => {})
      await expect.poll(() => gone.heard.length).toBe(3)
      expect(await store.history.journal.claimExpired(1)).toBeNull()
      // As if it had stopped renewing.
      await store.history.journal.renew([gone.heard[0]!.transaction], 0)
      await sleep(20)
      const living = witness('all')
      registry({ participants: directoryOf(living), leaseMs: 500 })
      await expect.poll(() => living.story()).toEqual(['(entry.delete b:1)', '(registry.discard)'])
      expect(living.heard.every(({ transaction }) => transaction === gone.heard[0]!.transaction)).toBe(true)
      await expect.poll(() => store.history.journal.claimExpired(0)).toBeNull()
      await dying.close()
    })

    it('stop asking when the gateway stops', async () => {
      const silent = witness('silent', () => new Promise<ParticipantAnswer>(() => {}), { timeoutMs: 60_000 })
      const open = registryOver(store.history, { transactions: { participants: directoryOf(silent) } })
      const waiting = open.applyChangeset({ operations: [create('a:1')] }, nobody)
      const caught = waiting.catch((error: unknown) => error)
      await expect.poll(() => silent.heard.length).toBe(2)
      await open.close()
      expect(await caught).toMatchObject({ code: 'UNAVAILABLE' })
      expect(silent.story().at(-1)).toBe('(registry.discard)')
    })

    it('answer even if a participant never acknowledges the end', async () => {
      const deaf = witness('deaf', undefined, { timeoutMs: 3_000 })
      const silent = {
        ...deaf,
        notify: (proposal: Parameters<typeof deaf.notify>[0]) =>
          proposal.kind === 'registry.commit' ? new Promise<void>(() => {}) : Promise.resolve(),
      }
      const log: string[] = []
      const open = registry({ participants: directoryOf(silent), undelivered: () => log.push('undelivered') })
      expect(await open.applyChangeset({ operations: [create('a:1')] }, nobody)).toMatchObject({ revision: 1 })
      log.push('answered')
      await expect.poll(() => log.length).toBe(2)
      expect(log).toEqual(['answered', 'undelivered'])
    })
  })
}
