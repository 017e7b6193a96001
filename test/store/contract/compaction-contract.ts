import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../src/core/criteria/criteria.js'
import type { EntryRevision } from '../../../src/core/entry/entry.js'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { Operation } from '../../../src/core/ordering/operation.js'
import type { History } from '../../../src/store/contract/history.js'
import { entryRevisionKey, type Page } from '../../../src/store/contract/history-reader.js'
import {
  apply,
  changeset,
  commitOne,
  create,
  expectApplied,
  problemCodes,
  remove,
  revertOf,
  update,
  versionMove,
} from '../../support/commit-requests.js'
import type { OpenedHistory } from './history-contract.js'

const all = <Position>(limit = 1_000): Page<Position> => ({ limit, after: null, before: null, fromEnd: false })
const IDS = ['a:x', 'a:y', 'a:q', 'b:z', 'c:new'].map(parseEntryId)
const X = parseEntryId('a:x')
const LAST = 8

/**
 *     revision  1   2   3   4   5   6   7   8
 *     head      v1  v2  v3  v4  v2  v5  v4  v6      v5 is built on v2, v6 on v4
 */
async function writeHistory(history: History): Promise<void> {
  await apply(history, create('a:x', 'thing', { n: 1 }), create('a:y'), create('b:z', 'thing', { depends_on: ['a:x'] }))
  await apply(history, update('a:x', 'thing', { n: 2 }))
  await apply(history, remove('a:y'), create('a:q'))
  await apply(history, update('a:x', 'thing', { n: 3 }), remove('b:z'))
  await commitOne(history, versionMove(2, { author: 'bob' }))
  await apply(history, create('c:new'), remove('a:x'), create('a:x', 'other', { n: 4 }))
  await commitOne(history, versionMove(4))
  await apply(history, update('a:q', 'thing', { n: 5 }))
}

const shownEntry = ({ id, content, revision, version }: EntryRevision) => [
  id,
  content.kind,
  content.metaText,
  revision,
  version,
]
const shownOperation = ({ kind, id, content, original }: Operation) => [kind, id, content?.digest, original?.digest]

/** Reads everything about the revisions from one on. */
async function kept(history: History, oldest: number) {
  const revisions = Array.from({ length: LAST - oldest + 1 }, (_, i) => oldest + i)
  const shownChange = ({
    revision,
    position,
    kind,
    id,
    entry,
    previous,
  }: Awaited<ReturnType<History['log']>>['changes'][number]) => [
    revision,
    position,
    kind,
    id,
    entry && shownEntry(entry),
    previous && shownEntry(previous),
  ]
  return {
    states: await Promise.all(
      revisions.map(async (at) => ({
        found: (await history.findEntries(EVERYTHING, 'REVISION_ASC', all(), at)).items.map(shownEntry),
        some: [...(await history.entries(IDS, at)).values()].map(shownEntry).sort(),
        count: [await history.entryCount(at), await history.countEntries(EVERYTHING, at)],
        things: await history.countEntries({ field: { meta: 'n' }, test: { operator: 'regex', pattern: '.' } }, at),
        namespaces: await history.namespaces(at),
        since: await history.changedSince(at, 100),
      })),
    ),
    changes: [...(await history.changesOf(revisions, all()))].map(([revision, { items }]) => [
      revision,
      items.map(shownChange),
    ]),
    log: (await history.log({ revision: oldest, position: Infinity }, 100)).changes.map(shownChange),
    rest: (await history.log({ revision: oldest, position: 0 }, 100)).changes.map(shownChange),
    deltas: await Promise.all(
      revisions.map(async (at) => [
        (await history.delta(oldest, at)).map(shownOperation),
        (await history.delta(at, oldest)).map(shownOperation),
      ]),
    ),
    versions: (await history.versionPage(all())).items.map(
      ({ number, parent, revision, author, digest, created, updated, deleted }) => [
        number,
        parent,
        revision,
        author,
        digest,
        created,
        updated,
        deleted,
      ],
    ),
    transitions: (await history.transitionPage(all())).items,
    lineage: await history.lineage(6),
    head: [
      await history.head(),
      (await history.findEntries(EVERYTHING, 'ID_ASC', all(), 'head')).items.map(shownEntry),
    ],
  }
}

/** The compaction contract of every backend with a history. */
export function describeCompaction(name: string, open: () => Promise<OpenedHistory>): void {
  describe(`a compacted history in ${name}`, () => {
    let opened: OpenedHistory
    let history: History
    beforeEach(async () => {
      opened = await open()
      history = opened.history
    })
    afterEach(() => opened.close())

    const compact = (before: number) => history.compact({ before, dryRun: false })
    const code = (outcome: Promise<unknown>) =>
      outcome.then(
        () => null,
        (error: { code: string }) => error.code,
      )
    const verified = async () => expect((await history.verify()).corruptions).toEqual([])

    // I15
    it.each(Array.from({ length: LAST }, (_, i) => i + 1))(
      'before revision %i answers as ever from there on, and verifies',
      async (before) => {
        await writeHistory(history)
        const expected = await kept(history, before)
        expect(await compact(before)).toMatchObject({ oldestRevision: before })
        expect(await history.oldestRevision()).toBe(before)
        expect(await kept(history, before)).toEqual(expected)
        await verified()
        expect(await kept(history, before)).toEqual(expected)
      },
    )

    it('fails every read below the oldest revision with COMPACTED and that revision', async () => {
      await writeHistory(history)
      await compact(4)
      const refused = { code: 'COMPACTED', details: { oldestRevision: 4 } }
      for (const at of [0, 1, 3]) {
        await expect(history.entries(IDS, at)).rejects.toMatchObject(refused)
        await expect(history.entries([parseEntryId('no:thing')], at)).rejects.toMatchObject(refused)
        await expect(history.findEntries(EVERYTHING, 'ID_ASC', all(), at)).rejects.toMatchObject(refused)
        await expect(history.countEntries(EVERYTHING, at)).rejects.toMatchObject(refused)
        await expect(
          history.countEntries({ field: { root: 'name' }, test: { operator: 'regex', pattern: 'x' } }, at),
        ).rejects.toMatchObject(refused)
        await expect(history.namespaces(at)).rejects.toMatchObject(refused)
        await expect(history.delta(at, 8)).rejects.toMatchObject(refused)
        await expect(history.delta(8, at)).rejects.toMatchObject(refused)
        await expect(history.changedSince(at, 10)).rejects.toMatchObject(refused)
        await expect(history.log({ revision: at, position: Infinity }, 10)).rejects.toMatchObject(refused)
      }
      expect([...(await history.changesOf([1, 3, 4, 9], all())).keys()]).toEqual([4, 9])
    })

    it('retains the baseline of an entry, and the changes of a namespace since', async () => {
      await writeHistory(history)
      await compact(4)
      const histories = await history.entryHistories(IDS, all())
      expect([...histories].map(([id, { items }]) => [id, items.map(({ revision }) => revision)])).toEqual([
        ['a:x', [7, 6, 5, 4, 2]],
        ['a:y', [5]],
        ['a:q', [8, 7, 3]],
        ['b:z', [5, 1]],
        ['c:new', [6]],
      ])
      expect([...(await history.entryHistoryCounts(IDS)).values()]).toEqual([5, 1, 3, 2, 1])
      const keys = [1, 2, 4].map((revision) => ({ id: X, revision }))
      expect([...(await history.entryRevisions([...keys, { id: parseEntryId('a:y'), revision: 1 }])).keys()]).toEqual(
        [2, 4].map((revision) => entryRevisionKey({ id: X, revision })),
      )
      const { items } = await history.namespaceChanges('b', all())
      expect(items.map(({ revision, kind, previous }) => [revision, kind, previous?.revision])).toEqual([
        [7, 'DELETE', 5],
        [5, 'CREATE', undefined],
        [4, 'DELETE', 1],
      ])
      expect(await history.namespaceChangeCount('b')).toBe(3)
    })

    it('refuses to apply, revert or tag a compacted version, except the head and the root', async () => {
      await writeHistory(history)
      await commitOne(history, versionMove(3))
      await compact(6)
      expect(problemCodes(await commitOne(history, versionMove(2)))).toEqual(['COMPACTED'])
      expect(problemCodes(await commitOne(history, versionMove(2, { dryRun: true })))).toEqual(['COMPACTED'])
      expect(problemCodes(await commitOne(history, revertOf(4)))).toEqual(['COMPACTED'])
      expect(problemCodes(await commitOne(history, versionMove(99)))).toEqual(['VERSION_NOT_FOUND'])
      const tag = (version: number) =>
        history.setTag({ name: `t${version}`, version, movable: null, expectedVersion: null, author: null })
      await expect(tag(4)).rejects.toMatchObject({ code: 'COMPACTED', details: { version: 4, oldestRevision: 6 } })
      expect(await tag(0)).toMatchObject({ version: 0 })
      expect(expectApplied(await commitOne(history, versionMove(3))).revision).toBe(null)
      expectApplied(await commitOne(history, versionMove(5)))
      expect(problemCodes(await commitOne(history, versionMove(3)))).toEqual(['COMPACTED'])
      expectApplied(await commitOne(history, versionMove(0)))
      expect(await history.entryCount('head')).toBe(0)
      expectApplied(await commitOne(history, versionMove(6)))
      expectApplied(await commitOne(history, revertOf(6)))
      await verified()
    })

    it('refuses a base below the oldest revision, for which conflicts are no longer known', async () => {
      await writeHistory(history)
      await compact(5)
      const based = (base: number) => commitOne(history, changeset([create('d:1')], { base, dryRun: true }))
      expect(problemCodes(await based(4))).toEqual(['COMPACTED'])
      expect(problemCodes(await based(5))).toEqual([])
    })

    it('replays an idempotency key of a compacted revision and reports its changes as compacted', async () => {
      const keyed = { idempotency: { key: 'k', digest: 'd' } }
      const first = expectApplied(await commitOne(history, changeset([create('k:1')], keyed)))
      await writeHistory(history)
      await compact(3)
      const again = expectApplied(await commitOne(history, changeset([create('k:1')], keyed)))
      expect(again).toMatchObject({
        replayed: true,
        compacted: true,
        revision: first.revision,
        head: first.head,
        delta: [],
      })
    })

    it('is refused by the tag on the lowest version and names it', async () => {
      await writeHistory(history)
      const tag = (name: string, version: number) =>
        history.setTag({ name, version, movable: true, expectedVersion: null, author: null })
      await tag('root', 0)
      await tag('later', 5)
      await tag('first', 3)
      for (const dryRun of [true, false]) {
        await expect(history.compact({ before: 4, dryRun })).rejects.toMatchObject({
          code: 'PINNED_BY_TAG',
          details: { tag: 'first', version: 3, revision: 3 },
        })
      }
      expect(await history.oldestRevision()).toBe(0)
      expect(await compact(3)).toMatchObject({ oldestRevision: 3 })
      expect([...(await history.changesOf([3], all())).keys()]).toEqual([3])
      await history.deleteTag('first', false)
      expect(await compact(6)).toMatchObject({ oldestRevision: 6 })
      expect(await code(compact(7))).toBe('PINNED_BY_TAG')
      await verified()
    })

    it('reports what it removed, what it would remove in a dry run, and nothing the second time', async () => {
      await writeHistory(history)
      expect(await history.compact({ before: 4, dryRun: true })).toEqual({ oldestRevision: 0, versions: 3, changes: 6 })
      expect(await history.oldestRevision()).toBe(0)
      expect(await compact(4)).toEqual({ oldestRevision: 4, versions: 3, changes: 6 })
      expect(await compact(4)).toEqual({ oldestRevision: 4, versions: 0, changes: 0 })
      expect(await compact(2)).toEqual({ oldestRevision: 4, versions: 0, changes: 0 })
      expect(await compact(0)).toEqual({ oldestRevision: 4, versions: 0, changes: 0 })
      expect(await compact(6)).toMatchObject({ oldestRevision: 6, versions: 1 })
      expect((await history.head()).revision).toBe(LAST)
    })

    it('refuses invalid and future revisions', async () => {
      expect(await compact(0)).toEqual({ oldestRevision: 0, versions: 0, changes: 0 })
      expect(await code(compact(1))).toBe('REVISION_NOT_FOUND')
      await writeHistory(history)
      await expect(compact(LAST + 1)).rejects.toMatchObject({
        code: 'REVISION_NOT_FOUND',
        details: { revision: LAST + 1, headRevision: LAST },
      })
      for (const before of [-1, 1.5, NaN, 2 ** 53]) expect(await code(compact(before))).toBe('BAD_USER_INPUT')
      expect(await history.oldestRevision()).toBe(0)
      expect(await compact(LAST)).toMatchObject({ oldestRevision: LAST })
      await verified()
    })

    it('survives branches, rollbacks, ids created again and repeated compaction', async () => {
      await writeHistory(history)
      const toggle = async (id: string, round: number) => {
        const isThere = (await history.entries([parseEntryId(id)], 'head')).size > 0
        await apply(history, isThere ? remove(id) : create(id, 'thing', { round }))
      }
      for (let round = 0; round < 6; round++) {
        const { revision } = await history.head()
        await compact(revision - (round % 3))
        await verified()
        const { version } = await history.head()
        await toggle('b:z', round)
        await verified()
        await toggle('a:x', round)
        if (round === 2) await commitOne(history, versionMove(version))
        if (round === 4) await commitOne(history, versionMove((await history.head()).version - 1))
        await verified()
      }
    })

    it('ends at the highest requested revision if many run at once beside writes, rollbacks and tags', async () => {
      await writeHistory(history)
      const other = opened.another === null ? history : await opened.another()
      try {
        let writing = true
        const writers = Promise.all(
          [history, other].map(async (gateway, w) => {
            for (let n = 0; writing; n++) {
              await apply(gateway, create(`w${w}:${n}`))
              if (n % 3 === 2) await commitOne(gateway, versionMove(6))
              if (n % 5 === 4) await commitOne(gateway, versionMove(3))
            }
          }),
        )
        const asked = await Promise.all(
          [3, 8, 5, 8, 1, 7].map((before, i) => (i % 2 ? history : other).compact({ before, dryRun: false })),
        )
        writing = false
        await writers
        expect(Math.max(...asked.map(({ oldestRevision }) => oldestRevision))).toBe(8)
        expect(await other.oldestRevision()).toBe(8)
        // Only the call that removed rows reports them.
        expect(asked.reduce((sum, { versions }) => sum + versions, 0)).toBe(5)
        await verified()
      } finally {
        if (other !== history) await other.close()
      }
    })
  })
}
