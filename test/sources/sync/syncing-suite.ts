import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Registry } from '../../../src/registry/registry.js'
import { apply, create, remove, rollback, update } from '../../registry/registry-fixture.js'
import { MapSource, thing } from './map-source.js'
import { counts, reported, TestSource } from './sync-fixture.js'

/** The contract of applying a source to a registry. It runs over every store. */
export function syncing(open: () => Promise<{ registry: Registry; close: () => Promise<void> }>): void {
  let registry: Registry
  let close: () => Promise<void>
  let reader: MapSource
  let source: TestSource

  beforeEach(async () => {
    ;({ registry, close } = await open())
    reader = new MapSource()
    source = new TestSource(registry, reader)
  })
  afterEach(() => close())

  const head = async () => (await registry.history.head()).revision
  const currentMeta = async (id: string) =>
    (await registry.history.entries([id as never], 'head')).get(id as never)?.content.meta

  // A folder that was not mounted deleted every entry of its source.
  describe('a source that defines nothing any more', () => {
    const vanish: readonly (readonly [string, () => void])[] = [
      ['its files are gone', () => reader.remove('a.json').remove('b.json')],
      ['its lists are empty', () => reader.put('a.json', '[]').put('b.json', '[]')],
      ['one file is gone and the other is empty', () => reader.remove('a.json').put('b.json', '[]')],
      ['one file is gone and the other is faulty', () => reader.remove('a.json').put('b.json', '{')],
    ]
    it.each(vanish)('keeps its entries and says so if %s', async (_name, doIt) => {
      const cautious = new TestSource(registry, reader, { allowEmpty: false })
      reader.put('a.json', [thing('app:a', 1), thing('app:b', 1)]).put('b.json', thing('app:c', 1))
      await cautious.sync()
      doIt()
      for (let pass = 0; pass < 2; pass++) {
        const result = await cautious.sync()
        expect(counts(result)).toEqual([0, 0, 0])
        expect(reported(result).at(-1)).toMatch(/^app - it defines nothing now, so its .* kept as they were/)
        if (pass === 0) cautious.forget()
      }
      expect(Object.keys(await cautious.data())).toEqual(['app:a', 'app:b', 'app:c'])
      const back = reader.put('a.json', [thing('app:a', 1)]).put('b.json', '[]')
      expect(back.files.size).toBe(2)
      expect(counts(await cautious.sync())).toEqual([0, 0, 2])
    })

    it('deletes them all if that is allowed, also after it was refused', async () => {
      const cautious = new TestSource(registry, reader, { allowEmpty: false })
      reader.put('a.json', [thing('app:a', 1)]).put('b.json', thing('app:c', 1))
      await cautious.sync()
      reader.put('a.json', '[]').remove('b.json')
      await cautious.sync()
      expect(counts(await new TestSource(registry, reader, { allowEmpty: true }).sync())).toEqual([0, 0, 2])
      expect(counts(await source.sync())).toEqual([0, 0, 0])
    })

    it('may be empty from the beginning', async () => {
      const result = await new TestSource(registry, reader.put('a.json', '[]'), { allowEmpty: false }).sync()
      expect(reported(result)).toEqual([])
    })
  })

  describe('a pass over a source', () => {
    it("creates, updates and deletes entries, by one changeset of the source's author", async () => {
      reader.put('a.json', [thing('app:a', 1), thing('app:b', 1)]).put('b.json', thing('app:c', 1))
      expect(counts(await source.sync())).toEqual([3, 0, 0])
      expect(await head()).toBe(1)
      reader.put('a.json', [thing('app:a', 2)]).put('c.json', thing('app:d', 1))
      expect(counts(await source.sync())).toEqual([1, 1, 1])
      expect(await source.data()).toEqual({ 'app:a': 2, 'app:c': 1, 'app:d': 1 })
      const versions = await registry.history.versions([1, 2])
      expect(versions.get(2)).toMatchObject({ author: 'source/app', message: 'source app (memory): a.json, c.json' })
      expect(await head()).toBe(2)
    })

    it('writes nothing without a change, and reads nothing twice', async () => {
      reader.put('a.json', thing('app:a', 1)).put('b.json', thing('app:b', 1))
      await source.sync()
      reader.reads = []
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      source.forget()
      const result = await source.sync()
      expect(counts(result)).toEqual([0, 0, 0])
      expect(result.loaded).toBe(2)
      expect(reader.reads).toEqual([])
      expect(await head()).toBe(1)
      reader.put('a.json', `${JSON.stringify(thing('app:a', 1))}\n`)
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      expect(reader.reads).toEqual(['a.json'])
      expect(await head()).toBe(1)
    })

    it('treats a moved definition as the same one', async () => {
      reader.put('b.json', thing('app:a', 1))
      await source.sync()
      reader.remove('b.json').put('a.json', thing('app:a', 1))
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      reader.remove('a.json').put('c.json', thing('app:a', 2))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      reader.remove('c.json')
      expect(counts(await source.sync())).toEqual([0, 0, 1])
    })

    it('changes a kind by a delete and a create in one changeset', async () => {
      reader.put('a.json', thing('app:a', 1))
      await source.sync()
      reader.put('a.json', thing('app:a', 1, {}, 'other.thing'))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await head()).toBe(2)
      expect((await registry.history.entries(['app:a' as never], 'head')).get('app:a' as never)?.content.kind).toBe(
        'other.thing',
      )
      reader.remove('a.json')
      expect(counts(await source.sync())).toEqual([0, 0, 1])
    })

    // The entry was replaced under its users, who held instances of something else.
    it('reports an entry in use that it would delete or replace by another kind, and writes it once it is free', async () => {
      reader.put('a.json', thing('app:a', 1)).put('b.json', thing('app:b', 1))
      await source.sync()
      const held = await Promise.all(
        ['app:a', 'app:b'].map((id) =>
          registry.instances.acquire({ entry: id as never, name: 'one', ttlSeconds: 3_600 }),
        ),
      )
      reader
        .put('a.json', thing('app:a', 1, {}, 'other.thing'))
        .remove('b.json')
        .put('c.json', thing('app:c', 1))
      for (let pass = 0; pass < 2; pass++) {
        const result = await source.sync()
        expect(counts(result)).toEqual([pass === 0 ? 1 : 0, 0, 0])
        expect(reported(result).join('\n')).toMatch(/app:a has 1 live instance[\s\S]*app:b has 1 live instance/)
      }
      expect(await source.data()).toEqual({ 'app:a': 1, 'app:b': 1, 'app:c': 1 })
      const kindOf = async () =>
        (await registry.history.entries(['app:a' as never], 'head')).get('app:a' as never)?.content.kind
      expect(await kindOf()).toBe('test.thing')
      for (const { id } of held) await registry.instances.release(id)
      expect(counts(await source.sync())).toEqual([0, 1, 1])
      expect(await kindOf()).toBe('other.thing')
    })

    it('only reports the changes in a dry run', async () => {
      reader.put('a.json', thing('app:a', 1))
      await source.sync()
      reader.put('a.json', thing('app:a', 2)).put('b.json', thing('app:b', 1))
      const planned = await source.sync({ dryRun: true })
      expect(counts(planned)).toEqual([1, 1, 0])
      expect(planned.delta.map(({ kind, id }) => `${kind} ${id}`)).toEqual(['UPDATE app:a', 'CREATE app:b'])
      expect(await head()).toBe(1)
      expect(counts(await source.sync())).toEqual([1, 1, 0])
    })

    it('uses several changesets if one would exceed the limits', async () => {
      source.limits = { changesetOperations: 4, changesetBytes: 1_000 }
      for (let n = 0; n < 10; n++) reader.put(`${n}.json`, thing(`app:${n}`, 1))
      expect(counts(await source.sync())).toEqual([10, 0, 0])
      expect(await head()).toBe(3)
      for (let n = 0; n < 3; n++) reader.put(`${n}.json`, thing(`app:${n}`, 'x'.repeat(900)))
      expect(counts(await source.sync())).toEqual([0, 3, 0])
      expect(await head()).toBe(6)
      for (let n = 0; n < 10; n++) reader.remove(`${n}.json`)
      expect(counts(await source.sync())).toEqual([0, 0, 10])
      expect(await source.data()).toEqual({})
      expect(await registry.history.sources.locations('app')).toEqual([])
    })
  })

  describe('an unreadable location', () => {
    it('does not stop the others, and its entries keep their last good content', async () => {
      reader.put('a.json', thing('app:a', 1)).put('b.json', thing('app:b', 1))
      await source.sync()
      reader.put('a.json', '{"id": ').put('b.json', thing('app:b', 2))
      const broken = await source.sync()
      expect(counts(broken)).toEqual([0, 1, 0])
      expect(reported(broken)).toEqual([expect.stringMatching(/^a\.json:1 - /)])
      expect([broken.loaded, broken.failures.definitions]).toEqual([1, 1])
      expect(await source.data()).toEqual({ 'app:a': 1, 'app:b': 2 })
      reader.put('a.json', thing('app:a', 3))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await source.data()).toEqual({ 'app:a': 3, 'app:b': 2 })
    })

    it('is reported in each pass until it is fixed', async () => {
      reader.put('a.json', '{"id": ')
      expect(reported(await source.sync())).toHaveLength(1)
      expect(reported(await source.sync())).toHaveLength(1)
      source.forget()
      expect(reported(await source.sync())).toHaveLength(1)
      reader.remove('a.json')
      expect(reported(await source.sync())).toHaveLength(0)
    })

    it('keeps all entries of an archive that cannot be opened', async () => {
      reader
        .put('x.zip!/a.json', thing('app:a', 1))
        .put('x.zip!/in/b.json', thing('app:b', 1))
        .put('x.zipped.json', thing('app:c', 1))
      await source.sync()
      const { files } = reader
      const lastGood = [...files]
      files.clear()
      reader.put('x.zip.json', 'no archive')
      files.set('x.zip', { ...files.get('x.zip.json')!, text: '{' })
      files.delete('x.zip.json')
      reader.scan = ((scan) =>
        async function* (known: (location: string) => string | undefined, signal: AbortSignal) {
          if (files.has('x.zip')) {
            yield {
              location: 'x.zip',
              unchanged: false,
              stamp: '1',
              modifiedAt: null,
              entries: [],
              failures: [{ file: 'x.zip', line: null, column: null, entryId: null, message: 'is no archive' }],
            } as const
          } else yield* scan.call(reader, known, signal)
        })(reader.scan)
      const broken = await source.sync()
      expect(reported(broken)).toEqual(['x.zip - is no archive'])
      expect(await source.data()).toEqual({ 'app:a': 1, 'app:b': 1 })
      files.delete('x.zip')
      for (const [location, file] of lastGood.slice(0, 1)) files.set(location, file)
      await source.sync()
      expect(await source.data()).toEqual({ 'app:a': 1 })
    })

    it('changes nothing if the whole source is unreadable', async () => {
      reader.put('a.json', thing('app:a', 1))
      await source.sync()
      reader.remove('a.json').put('b.json', thing('app:b', 1))
      reader.broken = new Error('the folder is gone')
      await expect(source.sync()).rejects.toThrow('the folder is gone')
      expect(await source.data()).toEqual({ 'app:a': 1 })
      reader.broken = null
      expect(counts(await source.sync())).toEqual([1, 0, 1])
    })

    it('is reported if the registry refuses its entry, and the rest is applied', async () => {
      reader.put('a.json', [thing('app:a', 1), thing('app:large', 'x'.repeat(2_000_000))])
      const result = await source.sync()
      expect(counts(result)).toEqual([1, 0, 0])
      expect(reported(result)).toEqual([expect.stringMatching(/^a\.json:\d+ app:large .*1048576/)])
      expect([result.loaded, result.failures.definitions]).toEqual([1, 1])
      reader.put('a.json', [thing('app:a', 1), thing('app:large', 'x')])
      expect(counts(await source.sync())).toEqual([1, 0, 0])
    })
  })

  describe('a duplicate id', () => {
    it('counts at the first location regardless of time, and the failure names both', async () => {
      reader.put('b.json', thing('app:x', 'b'))
      await source.sync()
      reader.put('a.json', thing('app:x', 'a')).put('c.json', thing('app:x', 'c'))
      const result = await source.sync()
      expect(counts(result)).toEqual([0, 1, 0])
      expect(reported(result).sort()).toEqual([
        'b.json app:x is already defined at a.json:1, which counts',
        'c.json:1 app:x is already defined at a.json:1, which counts',
      ])
      expect([result.loaded, result.failures.definitions]).toEqual([1, 2])
      expect(await source.data()).toEqual({ 'app:x': 'a' })
      const again = await source.sync()
      expect(reported(again)).toEqual([
        'b.json:1 app:x is already defined at a.json, which counts',
        'c.json:1 app:x is already defined at a.json, which counts',
      ])
      expect([again.loaded, again.failures.definitions]).toEqual([1, 2])
    })

    it('passes to the next location when the first is deleted', async () => {
      reader.put('a.json', thing('app:x', 'a')).put('b.json', thing('app:x', 'b'))
      await source.sync()
      reader.remove('a.json')
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await source.data()).toEqual({ 'app:x': 'b' })
      reader.put('a.json', '[]')
      expect(counts(await source.sync())).toEqual([0, 0, 0])
    })

    it('stays with the first location while that is unreadable', async () => {
      reader.put('a.json', thing('app:x', 'a')).put('b.json', thing('app:x', 'b'))
      await source.sync()
      reader.put('a.json', '{')
      const result = await source.sync()
      expect(await source.data()).toEqual({ 'app:x': 'a' })
      expect(reported(result)).toContain('b.json:1 app:x is already defined at a.json, which counts')
      reader.put('a.json', '[]')
      await source.sync()
      expect(await source.data()).toEqual({ 'app:x': 'b' })
    })

    it('within one location counts once', async () => {
      reader.put('a.json', `[\n${JSON.stringify(thing('app:x', 1))},\n${JSON.stringify(thing('app:x', 2))}]`)
      expect(reported(await source.sync())).toEqual(['a.json:3 app:x is already defined at a.json:2, which counts'])
      expect(await source.data()).toEqual({ 'app:x': 1 })
    })
  })

  describe('an entry that a source no longer defines', () => {
    it('is marked unavailable if configured, and loses the mark when it returns', async () => {
      source = new TestSource(registry, reader, { missing: 'unavailable' })
      reader.put('a.json', thing('app:a', 1, { by: 'me' }))
      await source.sync()
      reader.remove('a.json')
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await currentMeta('app:a')).toEqual({ by: 'me', unavailable: true })
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      source.forget()
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      expect(await source.owned()).toEqual(['app:a'])
      reader.put('b.json', thing('app:a', 1, { by: 'me' }))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await currentMeta('app:a')).toEqual({ by: 'me' })
    })

    it('is left alone if others have deleted and recreated it', async () => {
      reader.put('a.json', thing('app:a', 1)).put('b.json', thing('app:b', 1))
      await source.sync()
      await apply(registry, remove('app:a'), remove('app:b'))
      await apply(registry, create('app:a', {}, 'by hand'))
      reader.remove('a.json').remove('b.json')
      const result = await source.sync()
      expect(counts(result)).toEqual([0, 0, 0])
      expect(reported(result)).toEqual([])
      expect(await source.data()).toEqual({ 'app:a': 'by hand' })
    })

    it('is deleted by the source after a rollback restored it', async () => {
      reader.put('a.json', thing('app:a', 1))
      await source.sync()
      await rollback(registry, 0)
      await rollback(registry, 1)
      reader.remove('a.json')
      expect(counts(await source.sync())).toEqual([0, 0, 1])
    })
  })

  describe('a change by another author', () => {
    beforeEach(async () => {
      reader.put('a.json', thing('app:a', 1))
      await source.sync()
      await apply(registry, update('app:a', {}, 'by hand'))
    })

    it('stays until the file changes', async () => {
      source.forget()
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      expect(await source.data()).toEqual({ 'app:a': 'by hand' })
    })

    it('is overwritten by a new definition with conflict: source', async () => {
      reader.put('a.json', thing('app:a', 2))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await source.data()).toEqual({ 'app:a': 2 })
    })

    it('stays with conflict: registry', async () => {
      source = new TestSource(registry, reader, { conflict: 'registry' })
      reader.put('a.json', thing('app:a', 2))
      const result = await source.sync()
      expect(counts(result)).toEqual([0, 0, 0])
      expect(reported(result)).toEqual([])
      expect(await source.data()).toEqual({ 'app:a': 'by hand' })
      reader.put('a.json', thing('app:a', 3))
      expect(counts(await source.sync())).toEqual([0, 0, 0])
    })

    it("is settled by the file's time with conflict: newer", async () => {
      source = new TestSource(registry, reader, { conflict: 'newer' })
      reader.put('a.json', thing('app:a', 2), new Date(Date.now() - 60_000))
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      reader.put('a.json', thing('app:a', 3), new Date(Date.now() + 60_000))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await source.data()).toEqual({ 'app:a': 3 })
    })

    it('stays and is a failure with conflict: fail, until both are equal', async () => {
      source = new TestSource(registry, reader, { conflict: 'fail' })
      reader.put('a.json', thing('app:a', 2))
      for (const _ of [1, 2]) {
        const result = await source.sync()
        expect(counts(result)).toEqual([0, 0, 0])
        expect(reported(result)).toEqual([
          expect.stringContaining(
            'a.json:1 app:a is not applied, because the entry has been changed since this source wrote it, revision 2 by tester',
          ),
        ])
        expect([result.loaded, result.failures.definitions]).toEqual([0, 1])
      }
      await apply(registry, update('app:a', {}, 2))
      expect(reported(await source.sync())).toEqual([])
      expect(await source.owned()).toEqual(['app:a'])
    })

    it('that deletes the entry is undone by a new definition', async () => {
      await apply(registry, remove('app:a'))
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      expect(await source.owned()).toEqual([])
      reader.put('a.json', thing('app:a', 2))
      expect(counts(await source.sync())).toEqual([1, 0, 0])
    })

    it('that is reverted does not count', async () => {
      source = new TestSource(registry, reader, { conflict: 'fail' })
      await apply(registry, update('app:a', {}, 1))
      reader.put('a.json', thing('app:a', 2))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
    })
  })

  describe('two sources', () => {
    let other: MapSource
    beforeEach(() => {
      other = new MapSource()
    })

    it('with conflict: source, the last to change owns the entry, and the other leaves it alone', async () => {
      const second = new TestSource(registry, other, { name: 'second' })
      reader.put('a.json', thing('app:a', 'first'))
      other.put('a.json', thing('app:a', 'second'))
      await source.sync()
      expect(counts(await second.sync())).toEqual([0, 1, 0])
      expect([await source.owned(), await second.owned()]).toEqual([[], ['app:a']])
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      reader.remove('a.json')
      expect(counts(await source.sync())).toEqual([0, 0, 0])
      expect(await source.data()).toEqual({ 'app:a': 'second' })
    })

    it('with conflict: fail, the failure names the owner', async () => {
      const second = new TestSource(registry, other, { name: 'second', conflict: 'fail' })
      reader.put('a.json', thing('app:a', 'first'))
      other.put('a.json', thing('app:a', 'second'))
      await source.sync()
      expect(reported(await second.sync())).toEqual([
        expect.stringContaining('the entry belongs to the source app, revision 1'),
      ])
      reader.remove('a.json')
      await source.sync()
      expect(counts(await second.sync())).toEqual([1, 0, 0])
    })
  })

  describe('an entry that existed before', () => {
    it('is left alone with conflict: registry, and adopted with conflict: source', async () => {
      await apply(registry, create('app:a', {}, 'by hand'))
      reader.put('a.json', thing('app:a', 1))
      const careful = new TestSource(registry, reader, { conflict: 'registry' })
      expect(counts(await careful.sync())).toEqual([0, 0, 0])
      expect(await careful.owned()).toEqual([])
      reader.put('a.json', thing('app:a', 2))
      expect(counts(await source.sync())).toEqual([0, 1, 0])
      expect(await source.owned()).toEqual(['app:a'])
    })

    it('is only recorded if its content is equal', async () => {
      await apply(registry, create('app:a', {}, 1))
      reader.put('a.json', thing('app:a', 1))
      const careful = new TestSource(registry, reader, { conflict: 'fail' })
      const result = await careful.sync()
      expect([counts(result), reported(result)]).toEqual([[0, 0, 0], []])
      expect(await careful.owned()).toEqual([])
      reader.remove('a.json')
      await careful.sync()
      expect(await source.data()).toEqual({ 'app:a': 1 })
    })
  })

  describe('a gateway that ends between the commit and its record', () => {
    it('leaves entries that the next gateway attributes to the source', async () => {
      reader.put('a.json', thing('app:a', 1)).put('b.json', thing('app:b', 1))
      const { sources } = registry.history
      const { save } = sources
      let saves = 0
      sources.save = async (...args) => {
        if (++saves > 0) throw new Error('killed')
        return save.apply(sources, args)
      }
      await expect(source.sync()).rejects.toThrow('killed')
      sources.save = save
      expect(await head()).toBe(1)
      source = new TestSource(registry, reader, { conflict: 'fail' })
      reader.put('b.json', thing('app:b', 2))
      const result = await source.sync()
      expect([counts(result), reported(result)]).toEqual([[0, 1, 0], []])
      expect(await source.owned()).toEqual(['app:a', 'app:b'])
    })
  })

  describe('an entry that changes while the source is applied', () => {
    it('is compared again', async () => {
      reader.put('a.json', thing('app:a', 1)).put('b.json', thing('app:b', 1))
      await source.sync()
      reader.put('a.json', thing('app:a', 2)).put('b.json', thing('app:b', 2))
      source = new TestSource(registry, reader, { conflict: 'registry' })
      const { applyChangeset } = registry
      let tries = 0
      registry.applyChangeset = async (input, context) => {
        if (++tries === 1) await applyChangeset({ operations: [update('app:a', {}, 'by hand')] }, { author: 'tester' })
        return applyChangeset(input, context)
      }
      const result = await source.sync()
      expect([counts(result), reported(result)]).toEqual([[0, 1, 0], []])
      expect(await source.data()).toEqual({ 'app:a': 'by hand', 'app:b': 2 })
    })
  })
}
