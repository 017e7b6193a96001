import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../src/core/criteria/criteria.js'
import type { History } from '../../src/store/contract/history.js'
import { openPostgresHistory } from '../../src/store/postgres/postgres-history.js'
import { apply, commitOne, create, historyOptions, remove, update, versionMove } from '../support/commit-requests.js'
import { createTestDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from './gateway-process.js'

/** The points at which a gateway is delayed and then killed. Another session's lock or a slow trigger delays it. */
const MOMENTS: Record<string, { readonly hold: string; readonly isSaid: boolean }> = {
  'while history is measured': { hold: 'LOCK TABLE reference IN ACCESS EXCLUSIVE MODE', isSaid: false },
  'within the step that says it': {
    hold: 'BEFORE INSERT OR UPDATE ON baseline FOR EACH ROW WHEN (NOT NEW.removed)',
    isSaid: false,
  },
  'before the first row is removed': { hold: 'BEFORE DELETE ON change FOR EACH ROW', isSaid: true },
  'in the middle of the rows': { hold: 'BEFORE DELETE ON change FOR EACH ROW WHEN (OLD.revision = 3)', isSaid: true },
  'while names are removed': { hold: 'BEFORE DELETE ON entry_name FOR EACH ROW', isSaid: true },
  'while changesets are removed': {
    hold: 'BEFORE UPDATE ON version FOR EACH ROW WHEN (OLD.changeset IS NOT NULL AND NEW.changeset IS NULL)',
    isSaid: true,
  },
  'before all is said to be removed': {
    hold: 'BEFORE UPDATE ON baseline FOR EACH ROW WHEN (NEW.removed)',
    isSaid: true,
  },
}

const MANY = 1_500
/** Superseded below the oldest revision, or a delete there. */
const LEFT = `SELECT count(*)::int AS left FROM change c, head_pointer p WHERE c.revision < p.oldest_revision AND (c.operation = 'delete'
  OR EXISTS (SELECT FROM change n WHERE n.ns = c.ns AND n.name = c.name AND n.revision > c.revision AND n.revision < p.oldest_revision))`

describe('a gateway killed in the middle of a compaction', () => {
  let database: TestDatabase
  let processes: GatewayProcesses
  let sql: postgres.Sql
  let history: History
  const open = () =>
    openPostgresHistory({ ...historyOptions, databaseUrl: database.url, backend: 'postgres', connections: 2 })

  beforeAll(async () => {
    processes = await gatewayProcesses()
  })
  afterAll(() => processes.remove())

  it.each(Object.entries(MOMENTS))(
    '%s leaves a consistent registry, and the next gateway continues',
    async (_, { hold, isSaid }) => {
      database = await createTestDatabase()
      sql = postgres(database.url, { max: 3, onnotice: () => undefined })
      history = await open()
      let another: History | null = null
      try {
        // More rows than are removed in one step.
        await apply(history, create('b:gone'), ...Array.from({ length: MANY }, (_, i) => create(`a:${i}`)))
        for (const n of [2, 3])
          await apply(
            history,
            ...Array.from({ length: MANY }, (_, i) => update(`a:${i}`, 'thing', { n })),
            ...(n === 2 ? [remove('b:gone')] : []),
          )
        await apply(history, update('a:0', 'thing', { n: 4 }))
        await apply(history, remove('a:1'), create('c:new'))
        await commitOne(history, versionMove(4))
        const before = await survivors()
        const gateway = await processes.start({ DATABASE_URL: database.url, CADASTRE_STORE: 'postgres' })
        await killedWhile(gateway, hold)

        expect(await history.oldestRevision()).toBe(isSaid ? 5 : 0)
        expect((await history.verify()).corruptions).toEqual([])
        expect(await survivors()).toEqual(before)
        if (hold.includes('DELETE ON')) expect((await sql.unsafe(LEFT))[0]!['left']).toBeGreaterThan(0)

        another = await open()
        if (!isSaid)
          expect(await another.compact({ before: 5, dryRun: false })).toMatchObject({ oldestRevision: 5, versions: 4 })
        await expect
          .poll(async () => (await sql`SELECT removed FROM baseline`)[0], { timeout: 60_000 })
          .toEqual({ removed: true })
        expect((await sql.unsafe(LEFT))[0]).toEqual({ left: 0 })
        expect(await sql`SELECT number::int FROM version WHERE changeset IS NOT NULL`).toEqual([{ number: 5 }])
        expect(await sql`SELECT FROM entry_name WHERE ns = 'b'`).toHaveLength(0)
        expect((await history.verify()).corruptions).toEqual([])
        expect(await survivors()).toEqual(before)
        await apply(another, create('b:gone'))
        expect((await another.verify()).corruptions).toEqual([])
      } finally {
        await another?.close()
        await history.close()
        await sql.end()
        await database.drop()
      }
    },
  )

  /** Returns the states and the history that must survive. */
  async function survivors() {
    const page = { limit: 5_000, after: null, before: null, fromEnd: false }
    const states = await Promise.all(
      [5, 6].map(async (at) =>
        (await history.findEntries(EVERYTHING, 'ID_ASC', page, at)).items.map(({ id, content, revision }) => [
          id,
          content.metaText,
          revision,
        ]),
      ),
    )
    const changes = (await history.changesOf([5, 6], page)).values()
    return [
      states,
      [...changes].map(({ items }) => items.map(({ id, kind, previous }) => [id, kind, previous?.revision])),
    ]
  }

  async function killedWhile(gateway: GatewayProcess, hold: string): Promise<void> {
    const compact = () =>
      fetch(gateway.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: 'mutation { compact(before: 5) { oldestRevision } }' }),
      }).catch(() => undefined)
    const killed = async () => {
      const held = () => sql<{ pid: number }[]>`
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND (wait_event = 'PgSleep' OR wait_event_type = 'Lock')`
      await expect.poll(async () => (await held()).length, { timeout: 60_000 }).toBeGreaterThan(0)
      gateway.child.kill('SIGKILL')
      await gateway.exited
      for (const { pid } of await held()) await sql`SELECT pg_terminate_backend(${pid})`
      await expect.poll(async () => (await held()).length, { timeout: 60_000 }).toBe(0)
    }
    if (hold.startsWith('LOCK')) {
      await sql.begin(async (holder) => {
        await holder.unsafe(hold)
        void compact()
        await killed()
      })
      return
    }
    await sql.unsafe(
      `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN coalesce(NEW, OLD); END'`,
    )
    const [, table] = / ON (\w+) /.exec(hold)!
    await sql.unsafe(`CREATE TRIGGER linger ${hold} EXECUTE FUNCTION linger()`)
    void compact()
    await killed()
    await sql.unsafe(`DROP TRIGGER linger ON ${table}`)
  }
})
