import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { History } from '../../../src/store/contract/history.js'
import { LeaseLost } from '../../../src/store/contract/source-records.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { HISTORY_OPTIONS, memoryRegistry, registryOver } from '../../registry/registry-fixture.js'
import { createTestDatabase, type TestDatabase } from '../../support/test-postgres.js'
import { sourceRecordsContract } from './source-records-contract.js'

const openHistory = (database: TestDatabase) =>
  openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres', connections: 2 })

describe('source records in memory', () => {
  sourceRecordsContract(async () => {
    const registry = memoryRegistry()
    return { registry, close: () => registry.close() }
  })
})

describe('source records in Postgres', () => {
  sourceRecordsContract(async () => {
    const database = await createTestDatabase()
    const history = await openHistory(database)
    const registry = registryOver(history)
    return {
      registry,
      async close() {
        await registry.close()
        await history.close()
        await database.drop()
      },
    }
  })
})

describe('two gateways on one database', () => {
  let database: TestDatabase
  let first: History
  let second: History
  beforeAll(async () => {
    database = await createTestDatabase()
    first = await openHistory(database)
    second = await openHistory(database)
  })
  afterAll(async () => {
    await Promise.all([first.close(), second.close()])
    await database.drop()
  })

  it('divide the sources: each has one holder, until the lease is released or expires', async () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const [one, two] = await Promise.all([
      first.sources.acquireLeases(names, 60_000),
      second.sources.acquireLeases(names, 60_000),
    ])
    expect([...one.keys(), ...two.keys()].sort()).toEqual(names)
    await first.sources.releaseLeases(names)
    await second.sources.releaseLeases(names)

    expect((await first.sources.acquireLeases(['a'], 2_000)).size).toBe(1)
    expect((await second.sources.acquireLeases(['a'], 2_000)).size).toBe(0)
    expect((await first.sources.acquireLeases(['a'], 2_000)).size).toBe(1)
    const saving = () =>
      first.sources.saveState('a', '{}').then(
        () => null,
        (error: unknown) => error,
      )
    await expect.poll(saving).toBeInstanceOf(LeaseLost)
    expect((await second.sources.acquireLeases(['a'], 60_000)).size).toBe(1)
    expect((await first.sources.acquireLeases(['a'], 2_000)).size).toBe(0)
  })

  it('see by the term whether another gateway held a source in between', async () => {
    const { sources: one } = first
    const { sources: two } = second
    const term = (await one.acquireLeases(['x'], 60_000)).get('x')
    expect((await one.acquireLeases(['x'], 60_000)).get('x')).toBe(term)
    await one.releaseLeases(['x'])
    expect((await one.acquireLeases(['x'], 60_000)).get('x')).toBe(term)
    await one.releaseLeases(['x'])
    await two.acquireLeases(['x'], 60_000)
    await two.releaseLeases(['x'])
    expect((await one.acquireLeases(['x'], 60_000)).get('x')).toBeGreaterThan(term!)
  })

  it('notify each other of requests and reports', async () => {
    let heard = 0
    const stop = second.sources.onSignal(() => {
      heard += 1
    })
    const request = await first.sources.requestReload('y', false)
    await expect.poll(() => heard).toBeGreaterThan(0)
    const [asked] = await second.sources.pendingReloads(['y'])
    await second.sources.answerReloads([asked!], 'done')
    expect(await first.sources.takeReloadReport(request)).toBe('done')
    stop()
  })
})
