import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { type Criteria, EVERYTHING } from '../../../src/core/criteria/criteria.js'
import type { EntryRevision } from '../../../src/core/entry/entry.js'
import { type EntryId, parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { Change } from '../../../src/core/history/change.js'
import type { History } from '../../../src/store/contract/history.js'
import {
  entryRevisionKey,
  type LogPosition,
  type Page,
  type ReferenceRow,
} from '../../../src/store/contract/history-reader.js'
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

export interface OpenedHistory {
  readonly history: History
  /** Opens the same registry as another gateway does; null if the backend cannot. */
  readonly another: (() => Promise<History>) | null
  close(): Promise<void>
}

const id = (text: string): EntryId => parseEntryId(text)
const all = <Position>(limit = 1_000): Page<Position> => ({ limit, after: null, before: null, fromEnd: false })
const kindIs = (kind: string): Criteria => ({ field: { root: 'kind' }, test: { operator: 'equals', value: kind } })

/** An entry revision with its content as texts. */
const texts = (entry: EntryRevision | null) =>
  entry && [entry.id, entry.revision, entry.version, entry.content.kind, entry.content.metaText, entry.content.dataText]

/** The contract of every backend with a history. */
export function describeHistory(name: string, open: () => Promise<OpenedHistory>): void {
  describe(`a history in ${name}`, () => {
    let opened: OpenedHistory
    let history: History

    beforeEach(async () => {
      opened = await open()
      history = opened.history
    })
    afterEach(() => opened.close())

    const idsAt = async (at: number | 'head') =>
      (await history.findEntries(EVERYTHING, 'ID_ASC', all(), at)).items.map((entry) => entry.id)

    describe('begins empty', () => {
      it('is at revision 0, version 0', async () => {
        expect(await history.head()).toEqual({ revision: 0, version: 0 })
        expect(await history.entryCount('head')).toBe(0)
        expect(await idsAt(0)).toEqual([])
        expect((await history.versions([0])).get(0)).toMatchObject({ number: 0, parent: null, revision: 0, created: 0 })
        expect((await history.transitions([0])).size).toBe(0)
      })
    })

    describe('applies changesets', () => {
      it('makes one version and one revision for each, and none for a refused one', async () => {
        expect((await apply(history, create('a:x'))).head).toEqual({ revision: 1, version: 1 })
        expect(problemCodes(await commitOne(history, changeset([create('a:x')])))).toEqual(['ENTRY_EXISTS'])
        expect((await apply(history, update('a:x', 'thing', { n: 1 }))).head).toEqual({ revision: 2, version: 2 })
        expect(await history.head()).toEqual({ revision: 2, version: 2 })
      })

      it('checks each request of a batch against the state that earlier ones left', async () => {
        const outcomes = await commitAll(history, [
          changeset([create('a:x')]),
          changeset([create('a:x')]),
          changeset([update('a:x', 'thing', { n: 1 })]),
          changeset([remove('a:y')]),
          changeset([remove('a:x'), create('a:y')]),
        ])
        expect(outcomes.map(problemCodes)).toEqual([[], ['ENTRY_EXISTS'], [], ['ENTRY_NOT_FOUND'], []])
        expect(await history.head()).toEqual({ revision: 3, version: 3 })
        expect(await idsAt('head')).toEqual(['a:y'])
        expect(await idsAt(2)).toEqual(['a:x'])
      })

      it('changes nothing in a dry run and reports what it would change', async () => {
        const outcome = expectApplied(await commitOne(history, changeset([create('a:x')], { dryRun: true })))
        expect(outcome).toMatchObject({ dryRun: true, revision: null, head: { revision: 0, version: 0 } })
        expect(outcome.delta.map((operation) => [operation.kind, operation.id])).toEqual([['CREATE', 'a:x']])
        expect(await history.head()).toEqual({ revision: 0, version: 0 })
      })

      it('refuses an entry that changed since the base, even if it was deleted and created again', async () => {
        await apply(history, create('a:x'), create('a:y'))
        await apply(history, remove('a:x'))
        await apply(history, create('a:x'))
        expect(problemCodes(await commitOne(history, changeset([update('a:x')], { base: 1 })))).toEqual(['CONFLICT'])
        expect(problemCodes(await commitOne(history, changeset([update('a:x')], { base: 2 })))).toEqual(['CONFLICT'])
        expectApplied(await commitOne(history, changeset([update('a:y')], { base: 1 })))
        expectApplied(await commitOne(history, changeset([update('a:x')], { base: 3 })))
        expect(problemCodes(await commitOne(history, changeset([update('a:x')], { base: 99 })))).toEqual([
          'REVISION_NOT_FOUND',
        ])
      })

      it('refuses another head and another revision of the entry than expected', async () => {
        await apply(history, create('a:x'))
        expect(problemCodes(await commitOne(history, changeset([update('a:x')], { expectedHead: 0 })))).toEqual([
          'HEAD_MOVED',
        ])
        expect(problemCodes(await commitOne(history, changeset([update('a:x', 'thing', {}, null, 0)])))).toEqual([
          'CONFLICT',
        ])
        expectApplied(await commitOne(history, changeset([update('a:x', 'thing', {}, null, 1)], { expectedHead: 1 })))
      })

      it('returns with each write exactly what a read of it returns', async () => {
        const outcomes = [
          await apply(history, create('a:x', 'thing', { n: 1 }), create('a:y', 'thing', { depends_on: ['a:x'] })),
          await apply(history, update('a:x', 'thing', { n: 2 }, -0), remove('a:y'), create('a:z')),
          await apply(history, remove('a:x'), create('a:x', 'other'), update('a:z')),
          expectApplied(await commitOne(history, revertOf(3))),
          expectApplied(await commitOne(history, versionMove(1, { author: 'A', message: 'back' }))),
          expectApplied(await commitOne(history, versionMove(3))),
          expectApplied(await commitOne(history, versionMove(0))),
        ].filter(({ made }) => made !== undefined)
        expect(outcomes.length).toBeGreaterThan(5)
        const [versions, transitions] = [await history.versionPage(all()), await history.transitionPage(all())]
        for (const { made, revision, head } of outcomes) {
          const { changeset: _, ...version } = versions.items.find(({ number }) => number === head.version)! as any
          const { changeset: __, ...madeVersion } = made!.version as any
          expect(madeVersion).toEqual(version)
          expect(transitions.items.find((transition) => transition.revision === revision)).toMatchObject(
            made!.transition,
          )
          const shown = (changes: readonly Change[]) =>
            changes.map(({ entry, previous, ...change }) => ({
              ...change,
              entry: texts(entry),
              previous: texts(previous),
            }))
          const logged = (await history.changesOf([revision!], all())).get(revision!)!.items
          expect(shown(runAtOnce(made!.changes()))).toEqual(shown(logged))
        }
      })

      it('stores contents unchanged', async () => {
        const meta = JSON.parse('{"b":1,"a":{"__proto__":[1],"constructor":"c"},"10":0,"ü":"𝄞","e":""}')
        const data = JSON.parse(
          '[5e-324,1.7976931348623157e308,0.1,1e21,-1.5,9007199254740993,{"z":null,"y":"\\u0001"}]',
        )
        await apply(history, create('ns:ü/ⓐ:b', 'k.ind', meta, data))
        const entry = (await history.entries([id('ns:ü/ⓐ:b')], 'head')).get(id('ns:ü/ⓐ:b'))!
        expect(entry.content.metaText).toBe(JSON.stringify(meta))
        expect(entry.content.dataText).toBe(JSON.stringify(data))
        expect(Object.keys(entry.content.meta['a'] as object)).toEqual(['__proto__', 'constructor'])
        const old = (await history.entries([id('ns:ü/ⓐ:b')], 1)).get(id('ns:ü/ⓐ:b'))!
        expect(old.content.dataText).toBe(JSON.stringify(data))
      })
    })

    describe('replays idempotency keys', () => {
      const keyed = (digest: string, author: string | null = 'ann') => ({ idempotency: { key: 'k', digest }, author })

      it('returns the first outcome again and refuses another content', async () => {
        const first = expectApplied(await commitOne(history, changeset([create('a:x')], keyed('d1'))))
        await apply(history, create('a:y'))
        const again = expectApplied(await commitOne(history, changeset([create('a:x')], keyed('d1'))))
        expect(again).toMatchObject({ replayed: true, revision: first.revision, head: first.head })
        expect(again.delta.map((operation) => operation.id)).toEqual(['a:x'])
        expect(problemCodes(await commitOne(history, changeset([create('a:z')], keyed('d2'))))).toEqual([
          'IDEMPOTENCY_KEY_REUSED',
        ])
        expect(await history.head()).toEqual({ revision: 2, version: 2 })
      })

      it('separates authors, and replays within one batch too', async () => {
        const outcomes = await commitAll(history, [
          changeset([create('a:x')], keyed('d1')),
          changeset([create('a:x')], keyed('d1')),
          changeset([create('a:z')], keyed('d9', 'bob')),
        ])
        expect(outcomes.map((outcome) => expectApplied(outcome).replayed)).toEqual([false, true, false])
      })

      it('stores no refusal and no dry run, but an outcome that changed nothing', async () => {
        await commitOne(history, changeset([remove('a:x')], keyed('d1')))
        await commitOne(history, changeset([create('a:x')], { ...keyed('d2'), dryRun: true }))
        expect(expectApplied(await commitOne(history, versionMove(0, keyed('d3')))).revision).toBe(null)
        expect(expectApplied(await commitOne(history, versionMove(0, keyed('d3')))).replayed).toBe(true)
      })
    })

    describe('applies versions', () => {
      beforeEach(async () => {
        await apply(history, create('a:x', 'k', { n: 1 }), create('a:y'))
        await apply(history, update('a:x', 'k', { n: 2 }), remove('a:y'), create('a:z'))
        await apply(history, remove('a:x'), create('a:x', 'other'))
      })

      it('moves the head back as one transition and makes no version', async () => {
        const outcome = expectApplied(await commitOne(history, versionMove(1)))
        expect(outcome.head).toEqual({ revision: 4, version: 1 })
        expect(await idsAt('head')).toEqual(['a:x', 'a:y'])
        const entry = (await history.entries([id('a:x')], 'head')).get(id('a:x'))!
        expect(entry).toMatchObject({ revision: 4, version: 1 })
        expect(entry.content.meta).toEqual({ n: 1 })
        expect((await history.transitions([4])).get(4)).toMatchObject({ kind: 'VERSION', from: 3, to: 1 })
        expect(await history.versionCount()).toBe(4)
      })

      it('branches with the next changeset and loses nothing', async () => {
        await commitOne(history, versionMove(1))
        await apply(history, create('b:new'))
        expect((await history.versions([4])).get(4)).toMatchObject({ parent: 1, revision: 5 })
        expect((await history.children([1])).get(1)!.map(({ number }) => number)).toEqual([2, 4])
        expect(await history.lineage(4)).toEqual([4, 1, 0])
        expectApplied(await commitOne(history, versionMove(3)))
        expect(await idsAt('head')).toEqual(['a:x', 'a:z'])
        expect((await history.entries([id('a:x')], 'head')).get(id('a:x'))!.content.kind).toBe('other')
      })

      it('changes nothing for the head itself and refuses an unknown version', async () => {
        expect(expectApplied(await commitOne(history, versionMove(3)))).toMatchObject({ revision: null, delta: [] })
        expect(problemCodes(await commitOne(history, versionMove(9)))).toEqual(['VERSION_NOT_FOUND'])
        expect(problemCodes(await commitOne(history, versionMove(9, { expectedHead: 1 })))).toEqual([
          'HEAD_MOVED',
          'VERSION_NOT_FOUND',
        ])
        expect((await history.head()).revision).toBe(3)
      })

      it('reports in a dry run what it would change', async () => {
        const outcome = expectApplied(await commitOne(history, versionMove(1, { dryRun: true })))
        expect(outcome.delta.map((operation) => `${operation.kind} ${operation.id}`)).toEqual(
          ['DELETE a:z', 'DELETE a:x', 'CREATE a:x', 'CREATE a:y'].sort(
            (a, b) => Number(a.startsWith('C')) - Number(b.startsWith('C')) || (a < b ? -1 : 1),
          ),
        )
        expect((await history.head()).revision).toBe(3)
      })

      it('shows a replacement of another kind as a delete and a create', async () => {
        const changes = (await history.changesOf([3], all())).get(3)!.items
        expect(changes.map(({ kind, position }) => [kind, position])).toEqual([
          ['DELETE', 0],
          ['CREATE', 1],
        ])
        expect(changes[0]!.previous!.content.meta).toEqual({ n: 2 })
        expect(changes[1]!.previous).toBe(null)
        const second = (await history.changesOf([3], { limit: 1, after: 0, before: null, fromEnd: false })).get(3)!
        expect(second.items.map(({ kind }) => kind)).toEqual(['CREATE'])
      })
    })

    describe('reverts versions', () => {
      const shown = (outcome: Awaited<ReturnType<typeof commitOne>>) =>
        expectApplied(outcome).delta.map(({ kind, id: entry }) => `${kind} ${entry}`)

      beforeEach(async () => {
        await apply(history, create('a:x', 'k', { n: 1 }), create('a:y'), create('a:q', 'k', { q: 1 }))
        await apply(
          history,
          update('a:x', 'k', { n: 2 }),
          remove('a:y'),
          create('a:z'),
          remove('a:q'),
          create('a:q', 'other'),
        )
      })

      it('undoes the changes of a version by a new version on top of the head', async () => {
        await apply(history, create('b:later'))
        const outcome = await commitOne(history, revertOf(2, { author: 'ann', message: 'no' }))
        expect(shown(outcome)).toEqual(['DELETE a:q', 'DELETE a:z', 'CREATE a:q', 'UPDATE a:x', 'CREATE a:y'])
        expect(expectApplied(outcome)).toMatchObject({ head: { revision: 4, version: 4 }, revision: 4, dryRun: false })
        expect((await history.versions([4])).get(4)).toMatchObject({
          parent: 3,
          author: 'ann',
          message: 'no',
          created: 2,
          updated: 1,
          deleted: 2,
        })
        expect(await history.delta(1, 4)).toMatchObject([{ kind: 'CREATE', id: 'b:later' }])
        expect((await history.verify()).corruptions).toEqual([])
      })

      it('restores the state when the revert is reverted', async () => {
        await commitOne(history, revertOf(2))
        await commitOne(history, revertOf(3))
        expect(await history.delta(2, 4)).toEqual([])
        expect(await history.head()).toEqual({ revision: 4, version: 4 })
      })

      it('names every entry that has changed since, with its current content, and changes nothing', async () => {
        await apply(history, update('a:x', 'k', { n: 3 }), remove('a:z'), create('a:y'))
        const outcome = await commitOne(history, revertOf(2))
        expect(problemCodes(outcome)).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT'])
        const problems =
          outcome.type === 'refused' ? outcome.problems.map(({ entryId, current }) => [entryId, current?.revision]) : []
        expect(problems.sort()).toEqual([
          ['a:x', 3],
          ['a:y', 3],
          ['a:z', undefined],
        ])
        expect(problemCodes(await commitOne(history, revertOf(2, { expectedHead: 1 })))).toEqual([
          'HEAD_MOVED',
          'CONFLICT',
          'CONFLICT',
          'CONFLICT',
        ])
        expect((await history.head()).revision).toBe(3)
      })

      it('compares contents, not the versions that wrote them', async () => {
        await apply(history, update('a:x', 'k', { n: 9 }))
        await apply(history, update('a:x', 'k', { n: 2 }))
        expect(problemCodes(await commitOne(history, revertOf(2)))).toEqual([])
        expect((await history.entries([id('a:x')], 'head')).get(id('a:x'))!.content.meta).toEqual({ n: 1 })
      })

      it('reverts a version of another branch if the entries match, in one batch with the changeset that makes them match', async () => {
        await commitOne(history, versionMove(1))
        expect(problemCodes(await commitOne(history, revertOf(2)))).toEqual(Array(4).fill('CONFLICT'))
        const outcomes = await commitAll(history, [
          versionMove(2),
          changeset([create('b:new')]),
          revertOf(3),
          revertOf(2),
        ])
        expect(outcomes.map(problemCodes)).toEqual([[], [], [], []])
        expect(await history.delta(1, (await history.head()).revision)).toEqual([])
      })

      it('refuses the root, an unknown version and another head; supports dry runs and idempotency keys', async () => {
        expect(problemCodes(await commitOne(history, revertOf(0)))).toEqual(['VERSION_NOT_FOUND'])
        expect(problemCodes(await commitOne(history, revertOf(9)))).toEqual(['VERSION_NOT_FOUND'])
        expect(problemCodes(await commitOne(history, revertOf(2, { expectedHead: 1 })))).toEqual(['HEAD_MOVED'])
        expect(expectApplied(await commitOne(history, revertOf(2, { dryRun: true }))).delta).toHaveLength(5)
        expect((await history.head()).revision).toBe(2)
        const keyed = { idempotency: { key: 'k', digest: 'd' } }
        const first = expectApplied(await commitOne(history, revertOf(2, keyed)))
        const again = expectApplied(await commitOne(history, revertOf(2, keyed)))
        expect(again).toMatchObject({ replayed: true, revision: first.revision, head: first.head })
        expect(
          again.delta.map(({ kind, id: entry, content, original }) => [kind, entry, content?.digest, original?.digest]),
        ).toEqual(
          first.delta.map(({ kind, id: entry, content, original }) => [kind, entry, content?.digest, original?.digest]),
        )
        expect(problemCodes(await commitOne(history, revertOf(2, { idempotency: { key: 'k', digest: 'e' } })))).toEqual(
          ['IDEMPOTENCY_KEY_REUSED'],
        )
      })
    })

    describe('stores tags', () => {
      const set = (
        name: string,
        version: number,
        rest: { movable?: boolean; expectedVersion?: number; author?: string } = {},
      ) => history.setTag({ name, version, movable: null, expectedVersion: null, author: null, ...rest })
      const code = async (promise: Promise<unknown>) =>
        promise.then(
          () => 'done',
          (error: { code: string }) => error.code,
        )

      beforeEach(async () => {
        await apply(history, create('a:x'))
        await apply(history, create('a:y'))
      })

      it('on versions and the root, and moves only movable ones', async () => {
        const tag = await set('release/1.0', 1, { author: 'ann' })
        expect(tag).toMatchObject({ name: 'release/1.0', version: 1, movable: false, author: 'ann' })
        expect((await history.tags(['release/1.0', 'none'])).get('release/1.0')).toEqual(tag)
        await set('root', 0)
        await set('latest', 1, { movable: true })
        expect(await set('latest', 2, { author: 'bob' })).toMatchObject({ version: 2, movable: true, author: 'bob' })
        expect(await code(set('release/1.0', 2))).toBe('TAG_FIXED')
        expect(await code(set('release/1.0', 1, { movable: true }))).toBe('TAG_FIXED')
        expect(await set('latest', 2, { movable: false })).toMatchObject({ movable: false })
        expect(await code(set('latest', 1))).toBe('TAG_FIXED')
        expect(await history.head()).toEqual({ revision: 2, version: 2 })
        expect((await history.verify()).corruptions).toEqual([])
      })

      it('and changes nothing if the same request is sent again', async () => {
        const tag = await set('one', 1, { author: 'ann' })
        expect(await set('one', 1, { author: 'bob', expectedVersion: 0 })).toEqual(tag)
      })

      it('unless another version is expected or the version is unknown', async () => {
        expect(await code(set('m', 1, { expectedVersion: 1 }))).toBe('TAG_NOT_FOUND')
        await set('m', 1, { movable: true })
        expect(await code(set('m', 2, { expectedVersion: 0 }))).toBe('TAG_MOVED')
        expect(await code(set('m', 3))).toBe('VERSION_NOT_FOUND')
        expect(await set('m', 2, { expectedVersion: 1 })).toMatchObject({ version: 2 })
      })

      it('until they are deleted, a fixed one only with force', async () => {
        await set('m', 1, { movable: true })
        await set('f', 1)
        expect(await history.deleteTag('m', false)).toMatchObject({ name: 'm', version: 1 })
        expect(await code(history.deleteTag('m', true))).toBe('TAG_NOT_FOUND')
        expect(await code(history.deleteTag('f', false))).toBe('TAG_FIXED')
        expect(await history.deleteTag('f', true)).toMatchObject({ name: 'f' })
        expect(await history.tagCount()).toBe(0)
        expect((await history.verify()).corruptions).toEqual([])
      })

      it('in order, page by page, and by version', async () => {
        for (const name of ['b', 'a.b', 'a', 'B', 'a/b']) await set(name, 1)
        await set('two', 2)
        const names = (page: { items: readonly { name: string }[] }) => page.items.map(({ name }) => name)
        expect(names(await history.tagPage(all()))).toEqual(['B', 'a', 'a.b', 'a/b', 'b', 'two'])
        const page = await history.tagPage({ limit: 2, after: 'a', before: null, fromEnd: false })
        expect([names(page), page.hasMore]).toEqual([['a.b', 'a/b'], true])
        expect(names(await history.tagPage({ limit: 2, after: null, before: 'b', fromEnd: true }))).toEqual([
          'a.b',
          'a/b',
        ])
        expect(await history.tagCount()).toBe(6)
        const found = await history.tagsOf([0, 1, 2])
        expect([0, 1, 2].map((version) => found.get(version)!.map(({ name }) => name))).toEqual([
          [],
          ['B', 'a', 'a.b', 'a/b', 'b'],
          ['two'],
        ])
      })

      it('of many concurrent writers completely', async () => {
        await Promise.all(Array.from({ length: 20 }, (_, n) => set(`t${n % 5}`, n % 3, { movable: true })))
        expect(await history.tagCount()).toBe(5)
        expect((await history.verify()).corruptions).toEqual([])
      })
    })

    describe('lists the changes in a namespace', () => {
      const listed = (page: { items: readonly { revision: number; position: number; kind: string; id: string }[] }) =>
        page.items.map(({ revision, position, kind, id: entry }) => `${revision}.${position} ${kind} ${entry}`)

      it('newest first, in pages from both ends, replacements as two changes, and of no other namespace', async () => {
        await apply(history, create('a:x', 'k', { n: 1 }), create('a:y'), create('b:x'))
        await apply(history, remove('a:x'), create('a:x', 'other'), create('a:z'))
        await commitOne(history, versionMove(1))
        await apply(history, remove('b:x'))
        const whole = await history.namespaceChanges('a', all())
        expect(listed(whole)).toEqual([
          '3.2 CREATE a:x',
          '3.1 DELETE a:z',
          '3.0 DELETE a:x',
          '2.2 CREATE a:z',
          '2.1 CREATE a:x',
          '2.0 DELETE a:x',
          '1.1 CREATE a:y',
          '1.0 CREATE a:x',
        ])
        expect(whole.items.map(({ entry, previous }) => [entry?.content.kind, previous?.content.kind])).toEqual([
          ['k', undefined],
          [undefined, 'thing'],
          [undefined, 'other'],
          ['thing', undefined],
          ['other', undefined],
          [undefined, 'k'],
          ['thing', undefined],
          ['k', undefined],
        ])
        expect(await history.namespaceChangeCount('a')).toBe(8)
        for (const limit of [1, 2, 3, 5]) {
          const forward = []
          const backward = []
          for (let after: LogPosition | null = null; ; ) {
            const page = await history.namespaceChanges('a', { limit, after, before: null, fromEnd: false })
            forward.push(...listed(page))
            if (!page.hasMore) break
            after = page.items.at(-1)!
          }
          for (let before: LogPosition | null = null; ; ) {
            const page = await history.namespaceChanges('a', { limit, after: null, before, fromEnd: true })
            backward.unshift(...listed(page))
            if (!page.hasMore) break
            before = page.items[0]!
          }
          expect(forward).toEqual(listed(whole))
          expect(backward).toEqual(listed(whole))
        }
        expect(listed(await history.namespaceChanges('b', all()))).toEqual(['4.0 DELETE b:x', '1.2 CREATE b:x'])
        expect(await history.namespaceChanges('nothing', all())).toEqual({ items: [], hasMore: false })
      })
    })

    describe('reads any revision', () => {
      beforeEach(async () => {
        await apply(history, create('a:x', 'k', { n: 1 }), create('b:x', 'k', { n: 1 }))
        await apply(history, update('a:x', 'k', { n: 2 }), create('a:😀'), create('a:\ufffd'))
        await apply(history, remove('a:x'))
        await apply(history, create('a:x', 'k', { n: 3 }))
      })

      it('returns entries at a revision', async () => {
        const at = async (revision: number) =>
          (await history.entries([id('a:x'), id('c:none')], revision)).get(id('a:x'))?.content.meta['n']
        expect([await at(0), await at(1), await at(2), await at(3), await at(4)]).toEqual([
          undefined,
          1,
          2,
          undefined,
          3,
        ])
        expect(await Promise.all([0, 1, 2, 3, 4].map((revision) => history.entryCount(revision)))).toEqual([
          0, 2, 4, 3, 4,
        ])
      })

      it('returns the content that a revision gave an entry, and nothing if it gave none', async () => {
        const keys = [1, 2, 3, 4].map((revision) => ({ id: id('a:x'), revision }))
        const found = await history.entryRevisions([...keys, { id: id('b:x'), revision: 2 }])
        expect([...found.keys()].sort()).toEqual(
          [1, 2, 4].map((revision) => entryRevisionKey({ id: id('a:x'), revision })),
        )
      })

      it('lists every content of an entry, newest first, page by page', async () => {
        const histories = await history.entryHistories([id('a:x'), id('b:x'), id('c:none')], all())
        expect([...histories].map(([key, { items }]) => [key, items.map(({ revision }) => revision)])).toEqual([
          ['a:x', [4, 2, 1]],
          ['b:x', [1]],
          ['c:none', []],
        ])
        const page = (
          await history.entryHistories([id('a:x')], { limit: 1, after: 4, before: null, fromEnd: false })
        ).get(id('a:x'))!
        expect(page).toMatchObject({ items: [{ revision: 2 }], hasMore: true })
        const last = (
          await history.entryHistories([id('a:x')], { limit: 2, after: null, before: null, fromEnd: true })
        ).get(id('a:x'))!
        expect(last.items.map(({ revision }) => revision)).toEqual([2, 1])
        expect((await history.entryHistoryCounts([id('a:x'), id('c:none')])).get(id('a:x'))).toBe(3)
      })

      it('orders ids by code point, and by revision', async () => {
        expect(await idsAt('head')).toEqual(['a:x', 'a:\ufffd', 'a:😀', 'b:x'])
        expect(await idsAt(2)).toEqual(['a:x', 'a:\ufffd', 'a:😀', 'b:x'])
        const ordered = async (order: 'ID_DESC' | 'REVISION_ASC' | 'REVISION_DESC', at: 'head' | 2) =>
          (await history.findEntries(EVERYTHING, order, all(), at)).items.map(
            (entry) => `${entry.revision} ${entry.id}`,
          )
        expect(await ordered('ID_DESC', 'head')).toEqual(['1 b:x', '2 a:😀', '2 a:\ufffd', '4 a:x'])
        expect(await ordered('REVISION_ASC', 'head')).toEqual(['1 b:x', '2 a:\ufffd', '2 a:😀', '4 a:x'])
        expect(await ordered('REVISION_DESC', 2)).toEqual(['2 a:😀', '2 a:\ufffd', '2 a:x', '1 b:x'])
      })

      it('pages from both ends, in every order, at the head and before', async () => {
        for (const at of ['head', 2] as const) {
          for (const order of ['ID_ASC', 'ID_DESC', 'REVISION_ASC', 'REVISION_DESC'] as const) {
            const whole = (await history.findEntries(EVERYTHING, order, all(), at)).items
            const forward = []
            for (let after = null; ; ) {
              const page = await history.findEntries(
                EVERYTHING,
                order,
                { limit: 1, after, before: null, fromEnd: false },
                at,
              )
              forward.push(...page.items)
              if (!page.hasMore) break
              after = page.items.at(-1)!
            }
            expect(forward).toEqual(whole)
            const last = await history.findEntries(
              EVERYTHING,
              order,
              { limit: 2, after: null, before: whole[3]!, fromEnd: true },
              at,
            )
            expect(last.items).toEqual(whole.slice(1, 3))
            expect(last.hasMore).toBe(true)
          }
        }
      })

      it('finds and counts by criteria, at the head and before', async () => {
        const found = async (criteria: Criteria, at: 'head' | number) => {
          const { items } = await history.findEntries(criteria, 'ID_ASC', all(), at)
          expect(await history.countEntries(criteria, at)).toBe(items.length)
          return items.map((entry) => entry.id)
        }
        expect(await found(kindIs('k'), 'head')).toEqual(['a:x', 'b:x'])
        expect(await found(kindIs('k'), 3)).toEqual(['b:x'])
        const n2: Criteria = { field: { meta: 'n' }, test: { operator: 'equals', value: 2 } }
        expect(await found(n2, 'head')).toEqual([])
        expect(await found(n2, 2)).toEqual(['a:x'])
        expect(await found({ field: { root: 'name' }, test: { operator: 'regex', pattern: '^x$' } }, 2)).toEqual([
          'a:x',
          'b:x',
        ])
        expect(await found({ field: { root: 'ns' }, test: { operator: 'equals', value: 'a' } }, 3)).toEqual([
          'a:\ufffd',
          'a:😀',
        ])
      })

      it('counts namespaces', async () => {
        expect(await history.namespaces('head')).toEqual([
          { name: 'a', entryCount: 3 },
          { name: 'b', entryCount: 1 },
        ])
        expect(await history.namespaces(1)).toEqual([
          { name: 'a', entryCount: 1 },
          { name: 'b', entryCount: 1 },
        ])
      })

      it('computes the delta between two revisions in both directions', async () => {
        const shown = (await history.delta(1, 4)).map(({ kind, id: entry }) => `${kind} ${entry}`)
        expect(shown).toEqual(['UPDATE a:x', 'CREATE a:\ufffd', 'CREATE a:😀'])
        expect((await history.delta(4, 1)).map(({ kind, id: entry }) => `${kind} ${entry}`)).toEqual([
          'DELETE a:\ufffd',
          'DELETE a:😀',
          'UPDATE a:x',
        ])
        expect(await history.delta(3, 3)).toEqual([])
      })

      it('finds the revision of a time', async () => {
        const { createdAt } = (await history.transitions([4])).get(4)!
        expect(await history.revisionAtTime(createdAt)).toBe(4)
        expect(await history.revisionAtTime(new Date(0))).toBe(0)
        expect(await history.revisionAtTime(new Date(Date.now() + 86_400_000))).toBe(4)
      })
    })

    describe('reads the log', () => {
      const readAll = async (limit: number) => {
        const places: string[] = []
        const revisions = new Set<number>()
        let after: LogPosition = { revision: 0, position: Infinity }
        for (;;) {
          const page = await history.log(after, limit)
          for (const { revision } of page.transitions) revisions.add(revision)
          for (const { revision, position, kind, id: entry } of page.changes)
            places.push(`${revision}.${position} ${kind} ${entry}`)
          after = page.upTo
          if (after.revision === page.head.revision && after.position === Infinity)
            return { places, revisions: [...revisions] }
        }
      }

      it('in order and completely for any page size, including transitions without a change', async () => {
        await apply(history, create('a:x'), create('a:y'), create('a:z'))
        await apply(history, remove('a:y'), create('a:y', 'other'), update('a:x', 'thing', { n: 1 }))
        await commitOne(history, versionMove(0))
        await apply(history, create('a:q'))
        await apply(history, remove('a:q'))
        // v0 and v5 have the same state: the head moves and nothing changes.
        await commitOne(history, versionMove(0))
        const whole = await readAll(1_000)
        expect(whole.revisions).toEqual([1, 2, 3, 4, 5, 6])
        expect(whole.places).toHaveLength(3 + 3 + 3 + 2)
        for (const limit of [1, 2, 3, 4, 5]) expect(await readAll(limit)).toEqual(whole)
      })

      it('with the previous content of each entry', async () => {
        await apply(history, create('a:x', 'thing', { n: 1 }))
        await apply(history, update('a:x', 'thing', { n: 2 }))
        const { changes } = await history.log({ revision: 1, position: Infinity }, 10)
        expect(changes[0]!.previous).toMatchObject({ revision: 1, version: 1 })
        expect(changes[0]!.previous!.content.meta).toEqual({ n: 1 })
      })

      it('and notifies listeners', async () => {
        let woken = 0
        const stop = history.onAdvance(() => woken++)
        await apply(history, create('a:x'))
        expect(woken).toBeGreaterThan(0)
        stop()
        const before = woken
        await apply(history, create('a:y'))
        expect(woken).toBe(before)
      })
    })

    describe('finds references', () => {
      it('directly, by namespace and by group, until the content changes', async () => {
        await apply(
          history,
          create('lib:a', 'thing', { groups: ['tools', 7] }),
          create('lib:b'),
          create('app:one', 'thing', { depends_on: ['lib:a', 'ns:lib', 'group:tools', 'two'] }),
          create('lib:self', 'thing', { depends_on: ['ns:lib', 'lib:self'] }),
        )
        const dependents = async (text: string) =>
          (await history.dependents([id(text)], all()))
            .get(id(text))!
            .items.map(({ source, path }) => `${source} ${path}`)
        expect(await dependents('lib:a')).toEqual([
          'app:one meta.depends_on.0',
          'app:one meta.depends_on.1',
          'app:one meta.depends_on.2',
          'lib:self meta.depends_on.0',
        ])
        expect(await dependents('lib:self')).toEqual(['app:one meta.depends_on.1', 'lib:self meta.depends_on.1'])
        expect(await dependents('app:two')).toEqual(['app:one meta.depends_on.3'])
        await apply(history, update('app:one', 'thing', {}))
        expect(await dependents('lib:a')).toEqual(['lib:self meta.depends_on.0'])
        expect(
          (await history.entriesInGroups(['tools', 'none'], all())).get('tools')!.items.map((entry) => entry.id),
        ).toEqual(['lib:a'])
        expect((await history.entriesInNamespaces(['lib'], all())).get('lib')!.items.map((entry) => entry.id)).toEqual([
          'lib:a',
          'lib:b',
          'lib:self',
        ])
      })

      it('in pages, which together are the whole list', async () => {
        await apply(
          history,
          ...['a', 'b', 'c', 'd'].map((name) => create(`lib:${name}`, 'thing', { groups: ['tools'] })),
          ...['a', '10', '9', 'z'].map((name) =>
            create(`app:${name}`, 'thing', { depends_on: Array(11).fill('lib:a').concat('ns:lib', 'group:tools') }),
          ),
        )
        const page = <Position>(limit: number, after: Position | null) => ({ limit, after })
        const whole = (await history.dependents([id('lib:a')], all())).get(id('lib:a'))!
        expect([whole.items.length, whole.hasMore]).toEqual([4 * 13, false])
        for (const limit of [1, 7, 51, 52]) {
          const read: ReferenceRow[] = []
          for (let more = true; more; ) {
            const { source, path } = read.at(-1) ?? {}
            const after = source === undefined ? null : { source, path: path! }
            const found = (await history.dependents([id('lib:a'), id('no:one')], page(limit, after))).get(id('lib:a'))!
            expect(found.items.length).toBeLessThanOrEqual(limit)
            read.push(...found.items)
            more = found.hasMore
          }
          expect(read).toEqual(whole.items)
        }
        for (const reads of ['entriesInNamespaces', 'entriesInGroups'] as const) {
          const of = reads === 'entriesInGroups' ? 'tools' : 'lib'
          const first = (await history[reads]([of, 'none'], page(3, null))).get(of)!
          expect([first.items.map((entry) => entry.id), first.hasMore]).toEqual([['lib:a', 'lib:b', 'lib:c'], true])
          const last = (await history[reads]([of], page(3, id('lib:c')))).get(of)!
          expect([last.items.map((entry) => entry.id), last.hasMore]).toEqual([['lib:d'], false])
          expect((await history[reads](['none'], page(3, null))).get('none')).toEqual({ items: [], hasMore: false })
        }
      })
    })

    describe('verifies', () => {
      it('finds no corruption, with branches and replacements', async () => {
        await apply(
          history,
          create('a:x', 'thing', { n: 1, groups: ['g'] }),
          create('a:y', 'thing', { depends_on: ['x', 'group:g'] }),
        )
        await apply(history, remove('a:x'), create('a:x', 'other'))
        await commitOne(history, versionMove(1))
        await apply(history, update('a:x', 'thing', { n: 2 }))
        await commitOne(history, versionMove(2))
        await apply(history, remove('a:y'))
        const steps: number[] = []
        const verification = await history.verify((done) => steps.push(done))
        expect(verification).toEqual({ versions: 5, revisions: 6, changes: 7, corruptions: [] })
        expect(steps).toEqual([1, 2, 3, 4, 5])
      })
    })

    it('is the same registry for another gateway, which is notified of every movement', async () => {
      if (opened.another === null) return
      const other = await opened.another()
      try {
        const woken = new Promise<void>((resolve) => other.onAdvance(resolve))
        await apply(history, create('a:x'))
        expect(await other.head()).toEqual({ revision: 1, version: 1 })
        expect(other.registryId).toBe(history.registryId)
        await woken
      } finally {
        await other.close()
      }
    })
  })
}
