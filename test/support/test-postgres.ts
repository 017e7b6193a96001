import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
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

/** Creates an empty database on the server that the run shares. It is not durable: fsync is off. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const maintenance = inject('postgresUrl')
  const name = `test_${randomBytes(8).toString('hex')}`
  // With fsync off, copying the template's few files is faster than logging them page by page.
  await onServer(maintenance, (sql) => sql.unsafe(`CREATE DATABASE ${name} TEMPLATE template0 STRATEGY file_copy`))
  const url = new URL(maintenance)
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () => onServer(maintenance, (sql) => sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  }
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
