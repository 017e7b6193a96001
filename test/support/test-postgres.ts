import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { inject } from 'vitest'
import { startThrowawayServer } from './throwaway-server.js'

/** A database for one test. */
export interface TestDatabase {
  /** `postgres://cadastre@127.0.0.1:<port>/<name>`. */
  readonly url: string
  /** Removes the database and ends its connections. */
  drop(): Promise<void>
}

/**
 * Creates a database with this version's tables and no history, on the server that the run shares. It copies one that
 * was migrated at the start of the run, which takes a fifth of the time. It is not durable: fsync is off.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const database = await createDatabase(inject('migratedDatabase'))
  // The copy would be the same registry as all others.
  await onServer(database.url, (sql) => sql`UPDATE head_pointer SET registry_id = gen_random_uuid()`)
  return database
}

/** Creates a database without any tables, for tests of migrations. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createDatabase('template0')

async function createDatabase(template: string): Promise<TestDatabase> {
  const maintenance = inject('postgresUrl')
  const name = `test_${randomBytes(8).toString('hex')}`
  // Copying files instead would wait for two checkpoints.
  await onServer(maintenance, (sql) => sql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY wal_log`))
  return {
    url: urlOf(maintenance, name),
    drop: () => onServer(maintenance, (sql) => dropDatabase(sql, name)),
  }
}

/** Retries while an autovacuum worker is in the database: it belongs to a superuser, which the tests' role cannot end. */
async function dropDatabase(sql: postgres.Sql, name: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      return
    } catch (error) {
      const isDenied = error instanceof postgres.PostgresError && error.code === '42501'
      if (!isDenied || tries === 100) throw error
      await sleep(100)
    }
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

async function onServer(url: string, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, connect_timeout: 10 })
  try {
    await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** A server for one test, which may kill it. It is as durable as the embedded store. Its database is `cadastre`. */
export interface TestPostgres {
  /** `postgres://cadastre@127.0.0.1:<port>/cadastre`; the same before and after a restart. */
  readonly url: string
  pid(): number
  /** Sends SIGKILL to the server's first process only. The others end by themselves, as in production. */
  kill9(): void
  /** Sends SIGSTOP to all processes: connections stay open and nothing answers. */
  freeze(): void
  thaw(): void
  /** Starts the server again on the same data. It recovers if it was killed. */
  start(): Promise<void>
  /** Shuts the server down. The data remain for `start`. */
  stop(): Promise<void>
  /** Copies the data of a stopped server. The returned function restores them once, while the server is stopped again. */
  copyData(): () => void
  /** Stops the server and removes its data. */
  remove(): Promise<void>
}

/** Starts a server for one test. Takes about two seconds. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const server = await startThrowawayServer({ durable: true })
  return {
    url: server.url('cadastre'),
    pid: () => server.pid(),
    kill9: () => process.kill(server.pid(), 'SIGKILL'),
    freeze: () => signalAll(server.pid(), 'SIGSTOP'),
    thaw: () => signalAll(server.pid(), 'SIGCONT'),
    start: () => server.start(),
    stop: () => server.stop(),
    copyData: () => server.copyData(),
    remove: () => server.remove(),
  }
}

function signalAll(pid: number, signal: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  for (const each of [pid, ...children]) {
    try {
      process.kill(each, signal)
    } catch (error) {
      // The child process has ended in the meantime.
      if (each === pid || (error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
