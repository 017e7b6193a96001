import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { History } from '../../../../src/store/contract/history.js'
import { openPool, SESSION_SETTINGS, type Sql } from '../../../../src/store/postgres/base/open-pool.js'
import { openPostgresHistory } from '../../../../src/store/postgres/postgres-history.js'
import { changeset, commitOne, create, historyOptions } from '../../../support/commit-requests.js'
import { createEmptyDatabase, type TestDatabase } from '../../../support/test-postgres.js'

/** Defaults of a database that would break or slow down sessions that rely on defaults. */
const HOSTILE = {
  jit: 'on',
  jit_above_cost: '0',
  statement_timeout: '1ms',
  lock_timeout: '1ms',
  idle_session_timeout: '100ms',
  idle_in_transaction_session_timeout: '1ms',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  datestyle: 'German',
  timezone: 'Asia/Kathmandu',
  bytea_output: 'escape',
  plan_cache_mode: 'force_custom_plan',
  enable_indexscan: 'off',
  enable_nestloop: 'off',
}

// A stock Debian server has JIT on: the first read of an entry after a write took up to a second there.
describe('a database whose defaults do not suit the gateway', () => {
  let database: TestDatabase
  let admin: Sql

  beforeAll(async () => {
    database = await createEmptyDatabase()
    admin = openPool(database.url, { connections: 1 })
    const [row] = await admin<{ name: string }[]>`SELECT current_database() AS name`
    for (const [setting, value] of Object.entries(HOSTILE))
      await admin.unsafe(`ALTER DATABASE ${row!.name} SET ${setting} = '${value}'`)
  })
  afterAll(async () => {
    await admin.end({ timeout: 5 })
    await database.drop()
  })

  async function withPool<T>(settings: Readonly<Record<string, string>>, work: (sql: Sql) => Promise<T>): Promise<T> {
    const sql = openPool(database.url, { connections: 1, settings })
    try {
      return await work(sql)
    } finally {
      await sql.end({ timeout: 5 })
    }
  }

  it('changes no setting that a session needs', async () => {
    await withPool({}, async (sql) => {
      for (const [name, value] of Object.entries(SESSION_SETTINGS)) {
        const [row] = await sql.unsafe<{ value: string }[]>(`SELECT current_setting('${name}') AS value`)
        expect.soft(row?.value, name).toBe(value)
      }
    })
  })

  it('reaches no session by another way: only openPool makes a client of the driver', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const makers = files.filter((file) => /^import postgres\b/m.test(readFileSync(join('src', file), 'utf8')))
    expect(makers).toEqual([join('store', 'postgres', 'base', 'open-pool.ts')])
  })

  it('does not compile a statement, however expensive it seems', async () => {
    const rows = await withPool({}, (sql) => sql.unsafe('EXPLAIN (ANALYZE) SELECT sum(i) FROM generate_series(1, 9) i'))
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).not.toContain('JIT')
  })

  it('is migrated, written, read and followed, and none of its timeouts ends a session', async () => {
    const history: History = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: database.url,
      backend: 'postgres',
      connections: 2,
      readTimeoutMs: 5_000,
      commitTimeoutMs: 5_000,
    })
    try {
      expect((await commitOne(history, changeset([create('a:b')]))).type).toBe('applied')
      expect((await history.head()).revision).toBe(1)
      const sessions = async () => {
        const rows = await admin<{ pid: number; name: string }[]>`
          SELECT pid, application_name AS name FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
        return rows.map(({ pid, name }) => `${name} ${pid}`).sort()
      }
      await expect.poll(sessions).toContainEqual(expect.stringContaining('cadastre listener'))
      // Longer than the database's `idle_session_timeout`, which would have ended every one of them.
      const before = await sessions()
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await sessions()).toEqual(expect.arrayContaining(before))
    } finally {
      await history.close()
    }
  })
})
