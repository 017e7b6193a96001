import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import { HeadCache } from '../../../src/registry/head-cache/head-cache.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { HeadReader } from '../../../src/store/contract/head-reader.js'
import type { History } from '../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { createTestDatabase, type TestDatabase } from '../../support/test-postgres.js'
import { apply, create, HISTORY_OPTIONS, registryOver, remove, update } from '../registry-fixture.js'

const id = parseEntryId

describe('HeadCache', () => {
  let database: TestDatabase
  let history: History
  let other: History
  let registry: Registry
  let queries = 0
  let statements = 0
  /** Set if a test delays the read-index query. */
  let held: Promise<void> | null = null
  let counted: HeadReader

  beforeAll(async () => {
    database = await createTestDatabase()
    history = await openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres' })
    other = await openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres' })
    registry = registryOver(other)
    const reader = history.headReader!
    counted = {
      async readIndex(since, limit) {
        queries += 1
        const seen = await reader.readIndex(since, limit)
        await held
        return seen
      },
      async entries(ids) {
        statements += 1
        const found = await reader.entries(ids)
        await held
        return found
      },
    }
  })
  beforeEach(() => {
    queries = statements = 0
  })
  afterAll(async () => {
    await registry.close()
    await Promise.all([history.close(), other.close()])
    await database.drop()
  })
  const dataOf = async (reads: HeadCache, ...ids: string[]) => {
    const found = await reads.entries(ids.map((text) => id(text)))
    return ids.map((text) => found.get(id(text))?.content.data)
  }

  it('shares one read-index query among concurrent reads, and reads no cached entry again', async () => {
    await apply(registry, create('s:1', {}, 1), create('s:2', {}, 2))
    const reads = new HeadCache(counted)
    expect(await dataOf(reads, 's:1', 's:2', 's:none')).toEqual([1, 2, undefined])
    expect([queries, statements]).toEqual([0, 1])
    const many = await Promise.all(
      Array.from({ length: 100 }, (_, i) => dataOf(reads, ['s:1', 's:2', 's:none'][i % 3]!)),
    )
    expect(many.flat()).toEqual(Array.from({ length: 100 }, (_, i) => [1, 2, undefined][i % 3]))
    expect([queries, statements]).toEqual([1, 1])
  })

  it('reads many entries that are not cached by one statement', async () => {
    await apply(registry, ...Array.from({ length: 40 }, (_, i) => create(`m:${i}`, {}, i)))
    const reads = new HeadCache(counted)
    expect(await Promise.all(Array.from({ length: 40 }, (_, i) => dataOf(reads, `m:${i}`)))).toEqual(
      Array.from({ length: 40 }, (_, i) => [i]),
    )
    expect([queries, statements]).toEqual([0, 1])
  })

  it('never serves a read by a read-index query that started before the read arrived', async () => {
    await apply(registry, create('late:1', {}, 'before'))
    const reads = new HeadCache(counted)
    await dataOf(reads, 'late:1')
    let release = () => {}
    held = new Promise((resolve) => {
      release = resolve
    })
    const early = dataOf(reads, 'late:1')
    while (queries === 0) await sleep(1)
    // The read-index query has seen the head by now. Only its answer is still missing.
    await sleep(50)
    await apply(registry, update('late:1', {}, 'after'))
    const late = dataOf(reads, 'late:1')
    await sleep(20)
    release()
    held = null
    expect(await early).toEqual(['before'])
    expect(await late).toEqual(['after'])
    expect(queries).toBe(2)
  })

  it('sees at once what another gateway creates, updates, deletes and rolls back', async () => {
    const reads = new HeadCache(counted)
    expect(await dataOf(reads, 'o:1', 'o:2')).toEqual([undefined, undefined])
    await apply(registry, create('o:1', {}, 1), create('o:2', {}, 1))
    expect(await dataOf(reads, 'o:1', 'o:2')).toEqual([1, 1])
    const { version } = await registry.head()
    await apply(registry, update('o:1', {}, 2))
    expect(await dataOf(reads, 'o:1', 'o:2')).toEqual([2, 1])
    await apply(registry, remove('o:2'))
    expect(await dataOf(reads, 'o:1', 'o:2')).toEqual([2, undefined])
    await registry.applyVersion({ version }, { author: null })
    expect(await dataOf(reads, 'o:1', 'o:2')).toEqual([1, 1])
  })

  it('receives small contents that changed with the read-index query, and reads large ones again', async () => {
    await apply(registry, create('fed:small', {}, 1), create('fed:large', {}, 'x'))
    const reads = new HeadCache(counted)
    await dataOf(reads, 'fed:small', 'fed:large')
    await apply(
      registry,
      update('fed:small', {}, 2),
      update(
        'fed:large',
        {},
        Array.from({ length: 3_000 }, () => Math.random()),
      ),
    )
    expect(await dataOf(reads, 'fed:small')).toEqual([2])
    expect([queries, statements]).toEqual([1, 1])
    expect((await dataOf(reads, 'fed:large'))[0]).toHaveLength(3_000)
    expect([queries, statements]).toEqual([1, 2])
  })

  it('drops the whole cache if too many entries changed', async () => {
    await apply(registry, create('many:0', {}, 'old'))
    const reads = new HeadCache(counted)
    await dataOf(reads, 'many:0')
    await apply(
      registry,
      update('many:0', {}, 'new'),
      ...Array.from({ length: 5_001 }, (_, i) => create(`many:${i + 1}`)),
    )
    expect(await dataOf(reads, 'many:0')).toEqual(['new'])
    expect([queries, statements]).toEqual([1, 2])
  })

  it('drops everything if changes since the last query were compacted: a deleted entry was served once', async () => {
    await apply(registry, create('gone:1', {}, 'old'))
    const reads = new HeadCache(counted)
    await dataOf(reads, 'gone:1')
    await apply(registry, remove('gone:1'))
    await apply(registry, create('gone:2'))
    await registry.compact({ before: (await registry.head()).revision, dryRun: false })
    const client = postgres(database.url, { max: 1, onnotice: () => {} })
    while ((await client`SELECT 1 FROM baseline WHERE removed`).length === 0) await sleep(20)
    await client.end()
    expect(await dataOf(reads, 'gone:1')).toEqual([undefined])
  })

  it('does not cache an entry that was read before the query that reported its change', async () => {
    await apply(registry, create('race:1', {}, 'old'), create('race:2', {}, 1))
    const reads = new HeadCache(counted)
    await dataOf(reads, 'race:2')
    let release = () => {}
    held = new Promise((resolve) => {
      release = resolve
    })
    const slow = dataOf(reads, 'race:1')
    while (statements < 2) await sleep(1)
    await sleep(50)
    held = null
    await apply(registry, update('race:1', {}, 'new'))
    await dataOf(reads, 'race:2')
    release()
    await slow
    expect(await dataOf(reads, 'race:1')).toEqual(['new'])
  })

  it('holds no more than its bound', async () => {
    await apply(registry, ...Array.from({ length: 60 }, (_, i) => create(`big:${i}`, {}, 'x'.repeat(10_000))))
    const reads = new HeadCache(counted, 400_000)
    for (let i = 0; i < 60; i++) await dataOf(reads, `big:${i}`)
    expect(reads.bytes).toBeLessThanOrEqual(400_000)
    expect(reads.bytes).toBeGreaterThan(200_000)
    statements = 0
    await dataOf(reads, 'big:59')
    expect(statements).toBe(0)
    await dataOf(reads, 'big:0')
    expect(statements).toBe(1)
  })

  it('drops everything if the database went back, as a restored one does', async () => {
    await apply(registry, create('back:1', {}, 'kept'))
    const reads = new HeadCache({
      readIndex: async (since, limit) => {
        const seen = await counted.readIndex(since, limit)
        return { head: { ...seen.head, revision: seen.head.revision - back }, changed: seen.changed }
      },
      entries: async (ids) => {
        const found = await counted.entries(ids)
        return { ...found, revision: found.revision - back }
      },
    })
    let back = 0
    await dataOf(reads, 'back:1')
    await dataOf(reads, 'back:1')
    expect(statements).toBe(1)
    back = 1
    expect(await dataOf(reads, 'back:1')).toEqual(['kept'])
    expect(statements).toBe(2)
  })

  it('makes no query while there are no reads', async () => {
    const reads = new HeadCache(counted)
    await dataOf(reads, 's:1')
    await dataOf(reads, 's:1')
    queries = statements = 0
    await apply(registry, update('s:1', {}, 3))
    await sleep(300)
    expect([queries, statements]).toEqual([0, 0])
    expect(await dataOf(reads, 's:1')).toEqual([3])
  })
})
