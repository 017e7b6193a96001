import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../../../src/store/contract/history.js'
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
  async function rewind(): Promise<History> {
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

  it('refuses an update that expects a revision of the lost history', async () => {
    const gateway = await rewind()
    const expecting = changeset([update('a:1', 'thing', {}, 'next', 3)])
    expect(problemCodes(await commitOne(gateway, expecting))).toEqual(['CONFLICT'])
    expect((await gateway.verify()).corruptions).toEqual([])
  })
})
