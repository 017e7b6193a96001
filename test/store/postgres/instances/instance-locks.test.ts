import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import {
  apply,
  changeset,
  commitOne,
  create,
  historyOptions,
  remove,
  update,
  versionMove,
} from '../../../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../../../support/test-postgres.js'
import { acquire, codeOf, entry, namesOf } from '../../contract/instances-contract.js'

describe('the locks of instances in Postgres', () => {
  let database: TestDatabase
  let history: History
  let other: postgres.Sql
  beforeAll(async () => {
    database = await createTestDatabase()
    history = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 4,
    })
    other = postgres(database.url, { max: 2, onnotice: () => undefined })
    await apply(history, create('a:x'), create('a:y'))
  })
  afterAll(async () => {
    await other.end()
    await history.close()
    await database.drop()
  })
  beforeEach(async () => {
    await other`DELETE FROM instance`
  })

  /** Runs `work` while another transaction has run `hold` and is open. Returns whether `work` settled before its end. */
  async function meanwhile<Result>(
    hold: (sql: postgres.TransactionSql) => Promise<unknown>,
    work: () => Promise<Result>,
  ): Promise<{ early: boolean; result: Result }> {
    let early = false
    let working: Promise<Result> | undefined
    await other.begin(async (sql) => {
      await hold(sql)
      working = work()
      void working.then(
        () => {
          early = true
        },
        () => {
          early = true
        },
      )
      await sleep(300)
    })
    const wasEarly = early
    return { early: wasEarly, result: await working! }
  }

  it('let an acquire wait for a write of its entry, which replaces the row', async () => {
    const { early, result } = await meanwhile(
      async (sql) => {
        await sql`CREATE TEMPORARY TABLE old ON COMMIT DROP AS SELECT * FROM head WHERE name = 'x'`
        await sql`DELETE FROM head WHERE name = 'x'`
        await sql`INSERT INTO head SELECT * FROM old`
      },
      () => acquire(history, 'a:x', 'one'),
    )
    expect(early).toBe(false)
    expect(result.fencingToken).toBeGreaterThan(0)
    expect(await namesOf(history, 'a:x')).toEqual(['one'])
  })

  it('let an acquire wait for a delete of its entry, and refuse it then', async () => {
    await apply(history, create('a:gone'))
    const { early, result } = await meanwhile(
      (sql) => sql`DELETE FROM head WHERE name = 'gone'`,
      () => codeOf(acquire(history, 'a:gone', 'one')),
    )
    expect([early, result]).toEqual([false, 'ENTRY_NOT_FOUND'])
  })

  it('hold up no acquire, renewal or release of other entries', async () => {
    const [held, free, going] = await Promise.all([
      acquire(history, 'a:x', 'held'),
      acquire(history, 'a:x', 'free'),
      acquire(history, 'a:y', 'going'),
    ])
    const { early, result } = await meanwhile(
      (sql) => sql`SELECT FROM instance WHERE id = ${held.id} FOR UPDATE`,
      async () => {
        const busy = Promise.all([codeOf(history.instances.renew(held.id, 100)), history.instances.release(held.id)])
        await Promise.all([
          history.instances.renew(free.id, 100),
          history.instances.release(going.id),
          acquire(history, 'a:y', 'new'),
        ])
        expect((await history.instances.live([entry('a:x')])).of.get(entry('a:x'))).toHaveLength(2)
        return { busy }
      },
    )
    expect(early).toBe(true)
    const [renewed, released] = await result.busy
    // Either of the two may have been first.
    expect([renewed, released]).toSatisfy(
      ([code, isGone]: unknown[]) => isGone === true && (code === 'none' || code === 'INSTANCE_EXPIRED'),
    )
    expect(await namesOf(history, 'a:y')).toEqual(['new'])
  })

  it('cost no query in a commit that deletes nothing', async () => {
    const { early } = await meanwhile(
      (sql) => sql`LOCK TABLE instance, fencing IN ACCESS EXCLUSIVE MODE`,
      async () => {
        await apply(history, create('lone:1'), update('a:x'))
        await commitOne(history, versionMove((await history.head()).version))
      },
    )
    expect(early).toBe(true)
    const { early: deleted } = await meanwhile(
      (sql) => sql`LOCK TABLE instance IN ACCESS EXCLUSIVE MODE`,
      () => apply(history, remove('lone:1')),
    )
    expect(deleted).toBe(false)
  })

  it('form no cycle when gateways acquire, renew, release, sweep and delete at once', async () => {
    const another = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 4,
    })
    try {
      const ids = Array.from({ length: 12 }, (_, i) => `storm:${i}`)
      await apply(history, ...ids.map((id) => create(id)))
      const held: string[] = []
      const codes = new Set<unknown>()
      const tokens = new Map<string, number[]>()
      let settled = 0
      const isOver = () => settled >= 1_200 && (codes.size === 5 || settled >= 20_000)
      const pick = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)]!
      const worker = async (n: number) => {
        const gateway = n % 2 === 0 ? history : another
        while (!isOver()) {
          const id = pick(ids)
          const done: Promise<unknown> =
            n % 6 < 3
              ? acquire(gateway, id, `name ${Math.floor(Math.random() * 4)}`, { ttlSeconds: 1 }).then((one) => {
                  held.push(one.id)
                  tokens.set(id, [...(tokens.get(id) ?? []), one.fencingToken])
                })
              : n % 6 === 3
                ? gateway.instances.renew(pick(held) ?? crypto.randomUUID(), 1)
                : n % 6 === 4
                  ? Math.random() < 0.5
                    ? gateway.instances.release(pick(held) ?? crypto.randomUUID())
                    : gateway.instances.sweep()
                  : commitOne(
                      gateway,
                      changeset(
                        ids
                          .filter(() => Math.random() < 0.3)
                          .concat(id)
                          .filter((one, i, all) => all.indexOf(one) === i)
                          .map((one) => ({
                            ...pick([() => create(one), () => update(one), () => remove(one)])(),
                            force: true,
                          })),
                      ),
                    ).then((outcome) =>
                      (outcome.type === 'applied' ? [] : outcome.problems).forEach(({ code }) => codes.add(code)),
                    )
          codes.add(await codeOf(done))
          settled += 1
        }
      }
      const restoring = (async () => {
        while (!isOver()) {
          for (const id of ids) await commitOne(another, changeset([create(id)]))
          await sleep(50)
        }
      })()
      await Promise.all([...Array.from({ length: 24 }, (_, n) => worker(n)), restoring])
      expect([...codes].sort()).toEqual([
        'ENTRY_EXISTS',
        'ENTRY_NOT_FOUND',
        'INSTANCE_EXISTS',
        'INSTANCE_EXPIRED',
        'none',
      ])
      for (const given of tokens.values()) expect(new Set(given).size).toBe(given.length)
      const [stats] = await other<
        { deadlocks: number }[]
      >`SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`
      expect(stats!.deadlocks).toBe(0)
      const [stray] = await other<{ n: number }[]>`
        SELECT count(*)::int AS n FROM instance i WHERE expires_at > now() AND NOT EXISTS (SELECT FROM head h WHERE h.ns = i.ns AND h.name = i.name)`
      expect(stray!.n).toBe(0)
    } finally {
      await another.close()
    }
  })
})
