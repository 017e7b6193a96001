import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../../src/core/entry/entry-id.js'
import type { Registry } from '../../../../src/registry/registry.js'
import type { History } from '../../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { registryOver } from '../../../registry/registry-fixture.js'
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
import { startTestPostgres, type TestPostgres } from '../../../support/test-postgres.js'

/*
 * A failover that loses an acknowledged revision, as a standby that lagged behind does:
 *
 *   primary   r1 ── r2 ─┬─ r3 (transaction X)     acknowledged, then lost
 *   standby             └─ r3'(transaction X)     another history, the same transaction id
 */
describe('a history that was rewound to an earlier state', () => {
  let server: TestPostgres
  const opened: History[] = []
  const open = async () => {
    const history = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: server.url,
      backend: 'postgres',
      connections: 2,
    })
    opened.push(history)
    return history
  }

  beforeEach(async () => {
    server = await startTestPostgres()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((history) => history.close()))
    await server.remove()
  })

  async function query<Row extends object>(text: string): Promise<Row> {
    const client = postgres(server.url, { max: 1, onnotice: () => {} })
    try {
      const [row] = await client.unsafe<Row[]>(text)
      return row!
    } finally {
      await client.end()
    }
  }
  const rowVersion = async () => (await query<{ xmin: string }>('SELECT xmin::text FROM head_pointer')).xmin
  /** Consumes a transaction id and returns it. */
  const takeId = async () => Number((await query<{ id: string }>('SELECT pg_current_xact_id()::text AS id')).id)

  /** Returns a gateway that has written r3, on a server where r3 is another gateway's with the same transaction id. */
  async function rewind(beforeLoss: (gateway: History) => Promise<void> = async () => undefined): Promise<History> {
    const gateway = await open()
    await query('ALTER SYSTEM SET autovacuum = off')
    await apply(gateway, create('a:1'))
    await apply(gateway, create('a:2'))
    await server.stop()
    const restore = server.copyData()
    await server.start()
    for (let i = 0; i < 50; i++) await takeId()
    await apply(gateway, update('a:1', 'thing', {}, 'lost'))
    const lost = await rowVersion()
    await beforeLoss(gateway)

    await server.stop()
    restore()
    await server.start()
    const other = await open()
    while ((await takeId()) < Number(lost) - 1);
    await apply(other, create('b:1'))
    expect(await rowVersion()).toBe(lost)
    expect(await other.head()).toEqual({ revision: 3, version: 3 })
    return gateway
  }

  it('makes a gateway plan again although the row version of the pointer repeats', async () => {
    const gateway = await rewind()
    const { delta, revision } = expectApplied(await commitOne(gateway, changeset([update('a:1', 'thing', {}, 'next')])))
    expect(revision).toBe(4)
    expect(delta[0]!.original!.data).toBeNull()
    expect((await gateway.verify()).corruptions).toEqual([])
  })

  it('serves nothing of the lost history from memory', async () => {
    let read: Registry | undefined
    const stale = parseEntryId('a:1')
    const gateway = await rewind(async (history) => {
      read = registryOver(history)
      // The first read caches the entry, the second one brings the cache up to the head.
      for (let reads = 0; reads < 2; reads++)
        expect((await read.entriesAtHead([stale])).get(stale)!.content.data).toBe('lost')
      expect((await history.versions([3])).get(3)!.created).toBe(0)
      expect((await history.transitions([3])).get(3)!.changeCount).toBe(1)
    })
    // Written by another gateway, so that the head is above the lost revision and nothing seems to have gone back.
    await apply(opened.at(-1)!, create('b:2'))
    await expect.poll(async () => (await gateway.versions([3])).get(3)?.created, { timeout: 20_000 }).toBe(1)
    expect((await gateway.transitions([3])).get(3)).toMatchObject({ from: 2, to: 3 })
    expect((await read!.entriesAtHead([stale])).get(stale)!.content.data).toBeNull()
    await read!.close()
  })

  it('refuses an update that expects a revision of the lost history', async () => {
    const gateway = await rewind()
    const expecting = changeset([update('a:1', 'thing', {}, 'next', 3)])
    expect(problemCodes(await commitOne(gateway, expecting))).toEqual(['CONFLICT'])
    expect((await gateway.verify()).corruptions).toEqual([])
  })
})
