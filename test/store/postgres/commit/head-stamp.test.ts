import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../../../src/store/contract/history.js'
import { HEAD_STAMP, TOUCH_HEAD_POINTER } from '../../../../src/store/postgres/commit/head-stamp.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import {
  apply,
  changeset,
  commitOne,
  create,
  expectApplied,
  historyOptions,
  problemCodes,
  update,
} from '../../../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'

describe('the stamp of the head pointer', () => {
  let database: TestDatabase
  let client: postgres.Sql
  const opened: History[] = []
  const open = async (options: Partial<typeof historyOptions> = {}) => {
    const history = await openPostgresHistory({
      ...historyOptions,
      ...options,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 2,
    })
    opened.push(history)
    return history
  }
  const stamp = async () => (await client.unsafe(`SELECT ${HEAD_STAMP} AS stamp FROM head_pointer`))[0]!['stamp']
  const keyed = () => ({
    ...changeset([], { idempotency: { key: 'k', digest: 'd' } }),
    action: { type: 'version' as const, version: 2 },
  })

  beforeEach(async () => {
    database = await createTestDatabase()
    client = postgres(database.url, { max: 1, onnotice: () => {} })
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((history) => history.close()))
    await client.end()
    await database.drop()
  })

  /** A gateway that can write optimistically, and another one. */
  async function twoGateways(): Promise<readonly [History, History]> {
    const gateways = [await open(), await open()] as const
    await apply(gateways[0], create('a:1'))
    await apply(gateways[0], create('a:2'))
    return gateways
  }

  it('changes with every transition, compaction, indexing of references and touch', async () => {
    const [one, two] = await twoGateways()
    const seen = new Set([await stamp()])
    const expectNew = async () => {
      const now = await stamp()
      expect(seen).not.toContain(now)
      seen.add(now)
    }
    await apply(two, update('a:1'))
    await expectNew()
    await two.compact({ before: 2, dryRun: false })
    await expectNew()
    await open({ referencesFingerprint: 'other patterns' })
    await expectNew()
    await open()
    await expectNew()
    await client.unsafe(TOUCH_HEAD_POINTER)
    await expectNew()
    await apply(one, update('a:1'))
    expect((await one.verify()).corruptions).toEqual([])
  })

  it('plans again after another gateway has compacted', async () => {
    const [one, two] = await twoGateways()
    await two.compact({ before: 2, dryRun: false })
    expectApplied(await commitOne(one, changeset([update('a:2', 'thing', {}, 1)])))
    expect((await one.verify()).corruptions).toEqual([])
  })

  it('stays the same when a tag is set, which no changeset depends on', async () => {
    const [one, two] = await twoGateways()
    const before = await stamp()
    await two.setTag({ name: 't', version: 1, movable: true, expectedVersion: null, author: null })
    expect(await stamp()).toBe(before)
    await apply(one, update('a:1'))
    expect((await one.verify()).corruptions).toEqual([])
  })

  it('need not change when a reply is stored without a transition: its key does not let another one in', async () => {
    const [one, two] = await twoGateways()
    expect(expectApplied(await commitOne(two, keyed())).revision).toBeNull()
    const sameKey = changeset([create('a:3')], { idempotency: { key: 'k', digest: 'other' } })
    expect(problemCodes(await commitOne(one, sameKey))).toEqual(['IDEMPOTENCY_KEY_REUSED'])
    expect(await one.head()).toEqual({ revision: 2, version: 2 })
    expect(expectApplied(await commitOne(one, keyed())).replayed).toBe(true)
  })

  it('need not change when a participant joins: the statement looks for participants itself', async () => {
    const [one, two] = await twoGateways()
    const before = await stamp()
    const leave = await two.exchange.takePart(
      { name: 'p', kinds: ['**'], onFailure: 'refuse' },
      { receive() {}, lost() {} },
    )
    expect(await stamp()).toBe(before)
    const unattended = changeset([create('a:3')], { expectsNoParticipants: true })
    expect(await commitOne(one, unattended)).toMatchObject({ type: 'refused', stale: 'joined' })
    await leave()
  })

  it('is not needed with optimistic writes switched off: each batch reads first', async () => {
    const gateway = await open({ optimisticWrites: false })
    for (const id of ['a:1', 'a:2', 'a:3']) await apply(gateway, create(id))
    expect(problemCodes(await commitOne(gateway, changeset([create('a:3')])))).toEqual(['ENTRY_EXISTS'])
    expect((await gateway.verify()).corruptions).toEqual([])
  })
})
