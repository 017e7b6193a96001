import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import type { Registry } from '../../../src/registry/registry.js'
import { LeaseLost, type RecordChanges, type SourceRecords } from '../../../src/store/contract/source-records.js'
import { apply, create, remove, rollback, update } from '../../registry/registry-fixture.js'

const NOTHING: RecordChanges = { entries: [], removedEntries: [], locations: [], removedLocations: [] }
const LEASE = 60_000
const ids = (...names: string[]) => names.map((name) => `app:${name}` as EntryId)
const [A, B, C] = ids('a', 'b', 'c') as [EntryId, EntryId, EntryId]
const FIRST = { limit: 100, after: null, before: null, fromEnd: false }

/** The contract of the records of sources, for every backend. */
export function sourceRecordsContract(open: () => Promise<{ registry: Registry; close: () => Promise<void> }>): void {
  let registry: Registry
  let records: SourceRecords
  let close: () => Promise<void>

  beforeEach(async () => {
    ;({ registry, close } = await open())
    records = registry.history.sources
    await records.acquireLeases(['one', 'two'], LEASE)
  })
  afterEach(() => close())

  const save = (source: string, changes: Partial<RecordChanges>) => records.save(source, { ...NOTHING, ...changes })

  describe('records of entries', () => {
    it('are stored by source and id, and changed and removed together', async () => {
      await save('one', {
        entries: [
          { id: A, location: 'a.json', digest: 'x', revision: 1 },
          { id: B, location: null, digest: '', revision: null },
        ],
      })
      await save('two', { entries: [{ id: A, location: 'other', digest: 'y', revision: null }] })
      expect(await records.entries('one', [A, B, C])).toEqual(
        new Map([
          [A, { id: A, location: 'a.json', digest: 'x', revision: 1 }],
          [B, { id: B, location: null, digest: '', revision: null }],
        ]),
      )
      await save('one', { entries: [{ id: B, location: 'b.json', digest: 'z', revision: 2 }], removedEntries: [A] })
      expect(await records.entries('one', [A, B])).toEqual(
        new Map([[B, { id: B, location: 'b.json', digest: 'z', revision: 2 }]]),
      )
      expect((await records.entries('two', [A])).size).toBe(1)
      expect(await records.entries('one', [])).toEqual(new Map())
    })

    it('are found by location', async () => {
      const long = `${'é/'.repeat(3_000)}x.json`
      await save('one', {
        entries: [
          { id: A, location: long, digest: 'x', revision: 1 },
          { id: B, location: 'b', digest: 'x', revision: 1 },
          { id: C, location: null, digest: '', revision: 1 },
        ],
      })
      await save('two', { entries: [{ id: C, location: 'b', digest: 'x', revision: null }] })
      expect((await records.entriesIn('one', [long, 'c'])).map(({ id }) => id)).toEqual([A])
      expect((await records.entriesIn('one', ['b', long])).map(({ id }) => id).sort()).toEqual([A, B])
      expect(await records.entriesIn('one', [])).toEqual([])
    })

    it('with a revision take the ownership of the entry from any other source', async () => {
      await save('one', {
        entries: [
          { id: A, location: 'a', digest: 'x', revision: 1 },
          { id: B, location: 'a', digest: 'x', revision: 1 },
        ],
      })
      await save('two', {
        entries: [
          { id: A, location: 'a', digest: 'y', revision: 2 },
          { id: B, location: 'a', digest: 'y', revision: null },
        ],
      })
      expect(await records.owners([A, B, C])).toEqual(
        new Map([
          [A, 'two'],
          [B, 'one'],
        ]),
      )
      expect((await records.entries('one', [A])).get(A)).toEqual({ id: A, location: 'a', digest: 'x', revision: null })
    })

    it('return pages of the owned entries at the head', async () => {
      await apply(registry, create('app:a'), create('app:b'), create('app:c'), create('app:d'), create('b:a'))
      const owned = [...ids('a', 'b', 'c', 'e'), 'b:a' as EntryId].map((id) => ({
        id,
        location: 'x',
        digest: 'x',
        revision: 1,
      }))
      await save('one', { entries: [...owned, { id: 'app:d' as EntryId, location: 'x', digest: 'x', revision: null }] })
      expect(await records.ownedPage('one', FIRST)).toEqual({
        items: ['app:a', 'app:b', 'app:c', 'b:a'],
        hasMore: false,
      })
      expect(await records.ownedPage('one', { ...FIRST, limit: 2, after: A })).toEqual({
        items: ['app:b', 'app:c'],
        hasMore: true,
      })
      expect(await records.ownedPage('one', { ...FIRST, limit: 1, before: C, fromEnd: true })).toEqual({
        items: ['app:b'],
        hasMore: true,
      })
      expect([await records.ownedCount('one'), await records.ownedCount('two')]).toEqual([4, 0])
    })

    it('find the entries deleted since, even if they exist again', async () => {
      const first = await apply(registry, create('app:a'), create('app:b'), create('app:c'))
      await apply(registry, remove('app:a'), update('app:b', { x: 1 }))
      const last = await apply(registry, create('app:a'))
      const since = (revision: number) => [A, B, C].map((id) => ({ id, revision }))
      expect(await records.deletedSince(since(first))).toEqual(new Set([A]))
      expect(await records.deletedSince(since(last))).toEqual(new Set())
      await apply(registry, remove('app:c'), create('app:c', {}, null, 'other.kind'))
      expect(await records.deletedSince(since(last))).toEqual(new Set([C]))
      await rollback(registry, 0)
      expect(await records.deletedSince(since(last))).toEqual(new Set([A, B, C]))
    })
  })

  describe('records of locations', () => {
    it('are stored with or without a stamp', async () => {
      await save('one', {
        locations: [
          { location: 'a', stamp: '1', entries: 2 },
          { location: 'b', stamp: null, entries: 0 },
        ],
      })
      await save('two', { locations: [{ location: 'a', stamp: '9', entries: 1 }] })
      await save('one', { locations: [{ location: 'a', stamp: '2', entries: 3 }], removedLocations: ['b'] })
      expect(await records.locations('one')).toEqual([{ location: 'a', stamp: '2', entries: 3 }])
    })

    it('exist for every location that a record of an entry names', async () => {
      await save('one', {
        entries: [
          { id: A, location: 'stray', digest: 'x', revision: 1 },
          { id: B, location: 'stray', digest: 'x', revision: 1 },
          { id: C, location: null, digest: '', revision: 1 },
        ],
      })
      expect(await records.locations('one')).toEqual([{ location: 'stray', stamp: null, entries: 0 }])
    })

    it('may be thousands at once', async () => {
      const many = Array.from({ length: 10_000 }, (_, n) => n)
      await save('one', {
        entries: many.map((n) => ({ id: `app:${n}` as EntryId, location: `${n}.json`, digest: 'x', revision: 1 })),
        locations: many.map((n) => ({ location: `${n}.json`, stamp: `${n}`, entries: 1 })),
      })
      expect((await records.locations('one')).length).toBe(10_000)
      expect(
        (
          await records.entries(
            'one',
            many.map((n) => `app:${n}` as EntryId),
          )
        ).size,
      ).toBe(10_000)
    })
  })

  describe('writes of a source', () => {
    it('are open from `beginWrites` to `endWrites`', async () => {
      await apply(registry, create('app:a'))
      expect(await records.unsettledSince('one')).toBeNull()
      await records.beginWrites('one')
      await apply(registry, create('app:b'))
      await records.beginWrites('one')
      expect([await records.unsettledSince('one'), await records.unsettledSince('two')]).toEqual([1, null])
      await records.endWrites('one')
      expect(await records.unsettledSince('one')).toBeNull()
    })
  })

  describe('a source without a lease', () => {
    it('can be read and not changed', async () => {
      await save('one', { entries: [{ id: A, location: 'a', digest: 'x', revision: 1 }] })
      await records.saveState('one', '{"a":1}')
      await records.releaseLeases(['one'])
      await expect(save('one', { removedEntries: [A] })).rejects.toThrow(LeaseLost)
      await expect(records.saveState('one', '{}')).rejects.toThrow(LeaseLost)
      await expect(records.beginWrites('one')).rejects.toThrow(LeaseLost)
      await expect(records.endWrites('one')).rejects.toThrow(LeaseLost)
      expect((await records.entries('one', [A])).size).toBe(1)
      expect(await records.states(['one', 'two', 'three'])).toEqual(new Map([['one', '{"a":1}']]))
    })
  })

  describe('reload requests', () => {
    it('are sent once, answered once and taken once', async () => {
      let calls = 0
      const stop = records.onSignal(() => {
        calls += 1
      })
      const [first, second] = [await records.requestReload('one', false), await records.requestReload('two', true)]
      expect(await records.pendingReloads(['one'])).toEqual([{ id: first!.id, source: 'one', allowEmpty: false }])
      expect(await records.takeReloadReport(first!)).toBeNull()
      await records.answerReloads([first!], '{"x":"é"}')
      expect(await records.pendingReloads(['one', 'two'])).toEqual([
        { id: second!.id, source: 'two', allowEmpty: true },
      ])
      expect(await records.takeReloadReport(first!)).toBe('{"x":"é"}')
      expect(await records.takeReloadReport(first!)).toBeNull()
      await expect.poll(() => calls).toBeGreaterThan(0)
      stop()
    })
  })
}
