import { setMaxListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Criteria, EVERYTHING } from '../../../src/core/criteria/criteria.js'
import type { ChangeBatch, FollowInput } from '../../../src/registry/following/follow-input.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { RawOperation } from '../../../src/registry/writing/write-input.js'
import type { History } from '../../../src/store/contract/history.js'
import {
  apply,
  create,
  fold,
  isSilent,
  nextOf,
  registryOver,
  remove,
  rollback,
  stateAt,
  takeUntilSynced,
  update,
} from '../registry-fixture.js'

export interface FollowedHistory {
  readonly history: History
  close(): Promise<void>
}

const color = (value: string): Criteria => ({ field: { meta: 'color' }, test: { operator: 'equals', value } })
const FILTERS: Record<string, Criteria | null> = {
  none: null,
  red: color('red'),
  'not red': { not: color('red') },
  'kind a': { field: { root: 'kind' }, test: { operator: 'equals', value: 'kind.a' } },
  'name 1 or blue': { any: [{ field: { root: 'name' }, test: { operator: 'glob', pattern: '*1' } }, color('blue')] },
}

/** The promises of SPEC 5, over any backend with history. */
export function followingPromises(backend: string, open: () => Promise<FollowedHistory>): void {
  describe(`following, over ${backend}`, () => {
    let opened: FollowedHistory
    let registry: Registry
    let ending: AbortController
    const follow = (input: Partial<FollowInput> = {}) =>
      registry.follow({ after: null, criteria: null, initial: false, signal: ending.signal, ...input })

    beforeEach(async () => {
      opened = await open()
      registry = registryOver(opened.history, { progressMs: 60 })
      ending = new AbortController()
      setMaxListeners(0, ending.signal)
    })
    afterEach(async () => {
      ending.abort()
      await registry.close()
      await opened.close()
    })

    it('begins at the head with an empty synced batch', async () => {
      await apply(registry, create('a:1'))
      const first = await nextOf(follow())
      expect(first).toMatchObject({ revision: 1, version: 1, changes: [], complete: true, synced: true })
    })

    it('Ordered, Unique and Reliable: every revision comes once, in order, while many write', async () => {
      const stream = follow()
      await nextOf(stream)
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < 12; i++) await apply(registry, create(`w${writer}:${i}`))
      })
      const seen: string[] = []
      for (let revision = 1; revision <= 96; revision++) {
        const batch = await nextOf(stream)
        expect(batch.revision).toBe(revision)
        expect(batch.complete).toBe(true)
        seen.push(...batch.changes.map(({ id }) => id))
      }
      await Promise.all(writers)
      expect(new Set(seen).size).toBe(96)
      expect(await isSilent(stream, 50)).toBe(true)
    })

    it('resumes after the oldest revision once history is compacted, and fails with COMPACTED below it', async () => {
      const cursors: string[] = []
      const live = follow()
      await nextOf(live)
      const everything: ChangeBatch[] = []
      for (let i = 0; i < 6; i++) {
        await apply(registry, create(`a:${i}`), ...(i > 0 ? [update('a:0', { i })] : []))
        everything.push(await nextOf(live))
        cursors.push(everything.at(-1)!.cursor)
      }
      expect(await registry.compact({ before: 4, dryRun: false })).toMatchObject({ oldestRevision: 4 })
      for (const cursor of cursors.slice(0, 3)) {
        await expect(nextOf(follow({ after: cursor }))).rejects.toMatchObject({
          code: 'COMPACTED',
          details: { oldestRevision: 4 },
        })
      }
      const resumed = await takeUntilSynced(follow({ after: cursors[3]! }))
      expect(resumed.map(({ revision, changes }) => [revision, changes])).toEqual(
        everything.slice(4).map(({ revision, changes }) => [revision, changes]),
      )
      // The live stream was above it all the time.
      await apply(registry, create('a:later'))
      expect(await nextOf(live)).toMatchObject({ revision: 7, changes: [{ id: 'a:later' }] })
    })

    it('fails a slow follower when history is compacted below it, and lets one above continue', async () => {
      const [slow, quick] = [follow(), follow()]
      await Promise.all([nextOf(slow), nextOf(quick)])
      const large = 'x'.repeat(900_000)
      for (let i = 0; i < 24; i++) await apply(registry, create(`a:${i}`, { large }))
      const seen: number[] = []
      while (seen.at(-1) !== 24) seen.push((await nextOf(quick)).revision)
      await registry.compact({ before: 24, dryRun: false })
      // More has been written than the live window holds, so it must read the store.
      let failure: unknown
      for (let i = 0; failure === undefined && i < 24; i++)
        await nextOf(slow).catch((error: unknown) => {
          failure = error
        })
      expect(failure).toMatchObject({ code: 'COMPACTED', details: { oldestRevision: 24 } })
      await apply(registry, create('a:later'))
      expect(await nextOf(quick)).toMatchObject({ revision: 25 })
    })

    it('fails with COMPACTED within the initial pages if their revision is compacted, and can start again', async () => {
      await apply(registry, ...Array.from({ length: 1_500 }, (_, i) => create(`m:${i}`)))
      const stream = follow({ initial: true })
      const first = await nextOf(stream)
      expect(first.complete).toBe(false)
      await apply(registry, create('m:later'))
      await registry.compact({ before: 2, dryRun: false })
      let failure: unknown
      for (let i = 0; failure === undefined && i < 10; i++)
        await nextOf(stream).catch((error: unknown) => {
          failure = error
        })
      expect(failure).toMatchObject({ code: 'COMPACTED', details: { oldestRevision: 2 } })
      await expect(nextOf(follow({ after: first.cursor }))).rejects.toMatchObject({ code: 'COMPACTED' })
      const state = new Map<string, string>()
      for (const batch of await takeUntilSynced(follow({ initial: true }))) fold(state, batch)
      expect(state).toEqual(await stateAt(registry, EVERYTHING, 2))
    })

    it('Atomic: a batch never holds two revisions, and `complete` ends a long one', async () => {
      const before = follow()
      await nextOf(before)
      const many = Array.from({ length: 1_234 }, (_, i) => create(`m:${String(i).padStart(4, '0')}`))
      await apply(registry, ...many)
      await apply(registry, create('m:after'))
      const batches: ChangeBatch[] = []
      while (batches.at(-1)?.revision !== 2) batches.push(await nextOf(before))
      const first = batches.slice(0, -1)
      expect(first.length).toBeGreaterThan(2)
      expect(first.map(({ complete }) => complete)).toEqual([...first.slice(1).map(() => false), true])
      expect(first.flatMap(({ changes }) => changes.map(({ id }) => id))).toEqual(many.map(({ id }) => id))
      expect(batches.every(({ revision, changes }) => changes.every((change) => change.revision === revision))).toBe(
        true,
      )
    })

    it('Resumable: a cursor resumes exactly after its batch, also within a revision and on another gateway', async () => {
      await apply(registry, ...Array.from({ length: 1_100 }, (_, i) => create(`m:${String(i).padStart(4, '0')}`)))
      await apply(registry, update('m:0007', { color: 'red' }), remove('m:0008'))
      const whole = await takeUntilSynced(follow({ after: await cursorAt(registry, 0), criteria: null }))
      expect(whole.length).toBeGreaterThan(3)
      const elsewhere = registryOver(opened.history)
      for (const [i, { cursor }] of whole.entries()) {
        const stream = elsewhere.follow({ after: cursor, criteria: null, initial: true, signal: ending.signal })
        const rest = await takeUntilSynced(stream)
        await stream.return?.()
        const wanted = whole.slice(i + 1).flatMap(({ changes }) => changes)
        expect(
          rest.flatMap(({ changes }) => changes).map(({ id, kind, revision }) => `${revision} ${kind} ${id}`),
        ).toEqual(wanted.map(({ id, kind, revision }) => `${revision} ${kind} ${id}`))
        expect(rest.at(-1)).toMatchObject({ revision: 2, complete: true, synced: true })
      }
    })

    it('Filtered: the stream is what the filter sees', async () => {
      const stream = follow({ criteria: color('red') })
      await nextOf(stream)
      await apply(registry, create('a:1', { color: 'blue' }), create('a:2', { color: 'red' }))
      await apply(registry, create('a:3'))
      await apply(registry, update('a:1', { color: 'red' }), update('a:2', { color: 'red', n: 1 }))
      await apply(registry, update('a:1', { color: 'blue' }), remove('a:2'))
      expect(summary(await nextOf(stream))).toEqual([1, 'CREATE a:2'])
      expect(summary(await nextOf(stream))).toEqual([3, 'CREATE a:1', 'UPDATE a:2'])
      const last = await nextOf(stream)
      expect(last.revision).toBe(4)
      expect(last.changes.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual(['DELETE a:1', 'DELETE a:2'])
      expect(last.changes.every(({ entry, previous }) => entry === null && previous !== null)).toBe(true)
    })

    it('Filtered: a replacement of another kind folds to what the filter then sees', async () => {
      await apply(registry, create('a:1', {}, 1, 'kind.a'), create('a:2', {}, 2, 'kind.b'))
      const stream = follow({ criteria: FILTERS['kind a']!, initial: true })
      const state = new Map<string, string>()
      for (const batch of await takeUntilSynced(stream)) fold(state, batch)
      await apply(
        registry,
        remove('a:1'),
        create('a:1', {}, 1, 'kind.b'),
        remove('a:2'),
        create('a:2', {}, 2, 'kind.a'),
      )
      fold(state, await nextOf(stream))
      expect(state).toEqual(await stateAt(registry, FILTERS['kind a']!, 2))
    })

    it('Synced: what was acknowledged before the stream began comes before `synced`', async () => {
      for (let i = 0; i < 20; i++) {
        const revision = await apply(registry, create(`s:${i}`, { color: i % 2 === 0 ? 'red' : 'blue' }))
        const after = i === 0 ? undefined : await cursorAt(registry, revision - 1)
        for (const criteria of [null, color('red')]) {
          const stream = follow({ criteria, after: after ?? null, initial: after === undefined })
          const batches = await takeUntilSynced(stream)
          await stream.return?.()
          expect(batches.at(-1)!.revision).toBe(revision)
          const seen = batches.flatMap(({ changes }) => changes.map(({ id }) => id))
          expect(seen.includes(`s:${i}` as never)).toBe(criteria === null || i % 2 === 0)
        }
      }
    })

    it('sends the entries of one revision in pages with `initial`, then what happened since', async () => {
      await apply(
        registry,
        ...Array.from({ length: 700 }, (_, i) =>
          create(`i:${String(i).padStart(3, '0')}`, { text: 'x'.repeat(4_000) }),
        ),
      )
      const stream = follow({ initial: true })
      const state = new Map<string, string>()
      const first = await nextOf(stream)
      fold(state, first)
      expect(first).toMatchObject({ revision: 1, version: 1, complete: false, synced: false })
      await apply(registry, remove('i:000'), update('i:699'), create('i:700'))
      for (const batch of await takeUntilSynced(stream)) fold(state, batch)
      expect(state).toEqual(await stateAt(registry, EVERYTHING, 1))
      fold(state, await nextOf(stream))
      expect(state).toEqual(await stateAt(registry, EVERYTHING, 2))
    })

    it('resumes within the initial pages from a cursor in them, and `after` wins over `initial`', async () => {
      await apply(registry, ...Array.from({ length: 900 }, (_, i) => create(`i:${String(i).padStart(3, '0')}`)))
      const stream = follow({ initial: true })
      const state = new Map<string, string>()
      const first = await nextOf(stream)
      fold(state, first)
      await stream.return?.()
      await apply(registry, remove('i:000'), remove('i:899'))
      const resumed = await takeUntilSynced(follow({ after: first.cursor, initial: true }))
      expect(resumed[0]!.revision).toBe(1)
      for (const batch of resumed) fold(state, batch)
      expect(resumed.at(-1)!.revision).toBe(2)
      expect(state).toEqual(await stateAt(registry, EVERYTHING, 2))
    })

    // The rest of the pages was taken for the other filter's, so its earlier entries were silently missing.
    it('refuses a cursor within the initial pages of another filter', async () => {
      await apply(
        registry,
        ...Array.from({ length: 900 }, (_, i) => create(`i:${String(i).padStart(3, '0')}`, { color: 'red' })),
        create('a:1', { color: 'blue' }),
      )
      for (const [of, others] of [
        [null, [color('red'), color('blue')]],
        [color('red'), [null, EVERYTHING, color('blue')]],
      ] as const) {
        const stream = follow({ criteria: of, initial: true })
        const { cursor, complete } = await nextOf(stream)
        await stream.return?.()
        expect(complete).toBe(false)
        for (const criteria of others)
          await expect(nextOf(follow({ criteria, after: cursor }))).rejects.toMatchObject({ code: 'INVALID_CURSOR' })
        for (const same of of === null ? [null, EVERYTHING] : [color('red')]) {
          const resumed = await takeUntilSynced(follow({ criteria: same, after: cursor }))
          expect(resumed.length).toBeGreaterThan(0)
        }
      }
    })

    it('begins right after a revision with `afterRevision`', async () => {
      for (let i = 1; i <= 4; i++) await apply(registry, create(`a:${i}`))
      for (let revision = 0; revision <= 4; revision++) {
        const batches = await takeUntilSynced(follow({ afterRevision: revision, initial: true }))
        const seen = batches.flatMap(({ changes }) => changes.map((change) => change.revision))
        expect(seen).toEqual([1, 2, 3, 4].slice(revision))
        expect(batches.at(-1)!.revision).toBe(4)
      }
      for (const afterRevision of [-1, 5])
        await expect(nextOf(follow({ afterRevision }))).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' })
    })

    it('sends one empty synced batch if nothing matches at the beginning', async () => {
      await apply(registry, create('a:1'))
      expect(await nextOf(follow({ initial: true, criteria: color('red') }))).toMatchObject({
        revision: 1,
        changes: [],
        complete: true,
        synced: true,
      })
    })

    it('sends revisions without a change if there is no filter, and none of them with one', async () => {
      await apply(registry, create('a:1'))
      await apply(registry, update('a:1'))
      const all = follow({ after: await cursorAt(registry, 0) })
      expect((await takeUntilSynced(all)).map(({ revision }) => revision)).toEqual([1, 2])
      // v2's content equals v1's: going back changes nothing and is a revision all the same.
      expect(await rollback(registry, 1)).toBe(3)
      expect(await nextOf(all)).toMatchObject({ revision: 3, version: 1, changes: [], complete: true })
    })

    it.each(['kind a', 'red', 'not red', 'none', 'name 1 or blue'])(
      'folds at every revision to what is found there, cut anywhere and resumed (filter: %s)',
      async (name) => {
        const criteria = FILTERS[name]!
        await fc.assert(
          fc.asyncProperty(writesOf(), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), async (writes, cuts) => {
            const start = await registry.history.head()
            let last: ChangeBatch | undefined
            const state =
              criteria === null || start.revision > 0
                ? await stateAt(registry, criteria ?? EVERYTHING, start.revision)
                : new Map<string, string>()
            let stream = follow({ criteria })
            last = await nextOf(stream)
            const writing = (async () => {
              for (const write of writes) await attempt(registry, write)
            })()
            let step = 0
            for (;;) {
              await writing
              if (last.revision === (await registry.history.head()).revision && last.complete) break
              if (cuts[step++ % cuts.length]!) {
                await stream.return?.()
                stream = follow({ criteria, after: last.cursor })
              }
              const batch: ChangeBatch = await nextOf(stream)
              expect(batch.revision).toBeGreaterThanOrEqual(last.revision)
              fold(state, batch)
              last = batch
              if (batch.complete) expect(state).toEqual(await stateAt(registry, criteria ?? EVERYTHING, batch.revision))
            }
            await stream.return?.()
          }),
          { numRuns: 12 },
        )
      },
    )

    it('moves the cursor past revisions without a match by an empty batch', async () => {
      const stream = follow({ criteria: color('red') })
      await nextOf(stream)
      await apply(registry, create('a:1'))
      await apply(registry, create('a:2'))
      const passed = await nextOf(stream)
      expect(passed).toMatchObject({ changes: [], complete: true, synced: true })
      const last = passed.revision === 2 ? passed : await nextOf(stream)
      expect(last).toMatchObject({ revision: 2, version: 2, changes: [] })
      expect(await isSilent(stream, 200)).toBe(true)
      const resumed = await takeUntilSynced(follow({ after: last.cursor, criteria: color('red') }))
      expect(resumed.map(({ revision }) => revision)).toEqual([2])
    })

    it('refuses a cursor that is malformed, of another registry, or from the future', async () => {
      await apply(registry, create('a:1'))
      const cursor = (await nextOf(follow())).cursor
      const fields = Buffer.from(cursor, 'base64url').toString().split(' ')
      const forged = (at: number, value: string) => Buffer.from(fields.with(at, value).join(' ')).toString('base64url')
      const bad = [
        '',
        'nonsense',
        '!!',
        cursor.slice(2),
        'A'.repeat(5_000),
        forged(2, 'another'),
        forged(3, '2'),
        forged(3, '9007199254740993'),
        forged(4, 'x'),
      ]
      for (const after of bad) {
        await expect(nextOf(follow({ after })), after).rejects.toMatchObject({ code: 'INVALID_CURSOR' })
      }
    })

    it('ends at once when its signal aborts or its reader returns, even if nothing happens', async () => {
      for (const criteria of [null, color('red')]) {
        const stop = new AbortController()
        const aborted = follow({ criteria, signal: stop.signal })
        await nextOf(aborted)
        const waiting = aborted.next()
        stop.abort()
        expect(await waiting).toEqual({ done: true, value: undefined })
        const returned = follow({ criteria })
        await nextOf(returned)
        const pending = returned.next()
        await returned.return?.()
        expect(await pending).toEqual({ done: true, value: undefined })
      }
    })

    it('yields one entry now and after each change, and null while there is none', async () => {
      await apply(registry, create('a:1', { n: 1 }), create('a:2'))
      const stream = registry.followEntry('a:1' as never, ending.signal)
      expect((await nextOf(stream))?.content.meta).toEqual({ n: 1 })
      await apply(registry, update('a:2'))
      await apply(registry, update('a:1', { n: 2 }))
      await apply(registry, remove('a:1'), create('a:1', { n: 3 }, null, 'another.kind'))
      await apply(registry, remove('a:1'))
      await rollback(registry, 1)
      expect((await nextOf(stream))?.content.meta).toEqual({ n: 2 })
      expect((await nextOf(stream))?.content).toMatchObject({ meta: { n: 3 }, kind: 'another.kind' })
      expect(await nextOf(stream)).toBeNull()
      expect(await nextOf(stream)).toMatchObject({ revision: 6, version: 1 })
    })
  })
}

function summary({ revision, changes }: ChangeBatch): unknown[] {
  return [revision, ...changes.map(({ kind, id }) => `${kind} ${id}`)]
}

/** A cursor at the end of a revision, like that of its last batch. */
async function cursorAt(registry: Registry, revision: number): Promise<string> {
  return Buffer.from(`1 l ${registry.history.registryId} ${revision} e`).toString('base64url')
}

type Write = { readonly operations: RawOperation[] } | { readonly back: number }

function writesOf(): fc.Arbitrary<Write[]> {
  const id = fc.constantFrom('p:1', 'p:2', 'p:11', 'q:1')
  const meta = fc.record({ color: fc.constantFrom('red', 'blue', 'green') })
  const kind = fc.constantFrom('kind.a', 'kind.b')
  const operation = fc.oneof(
    fc.tuple(id, meta, kind).map(([at, content, of]) => [create(at, content, null, of)]),
    fc.tuple(id, meta, kind).map(([at, content, of]) => [update(at, content, null, of)]),
    id.map((at) => [remove(at)]),
    fc.tuple(id, meta, kind).map(([at, content, of]) => [remove(at), create(at, content, null, of)]),
  )
  const write = fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .array(operation, { minLength: 1, maxLength: 3 })
        .map((operations) => ({ operations: operations.flat() })),
    },
    { weight: 1, arbitrary: fc.nat(8).map((back) => ({ back })) },
  )
  return fc.array(write, { minLength: 4, maxLength: 14 })
}

/** Applies a write. One that cannot be applied is refused and changes nothing, so the others make the history. */
async function attempt(registry: Registry, write: Write): Promise<void> {
  if ('operations' in write) await registry.applyChangeset(write, { author: null })
  else await registry.applyVersion({ version: write.back }, { author: null })
}
