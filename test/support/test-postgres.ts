import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import postgres from 'postgres'
import { inject } from 'vitest'
import { startThrowawayServer } from './throwaway-server.js'

/** A database of a test's own. */
export interface TestDatabase {
  /** `postgres://cadastre@127.0.0.1:<port>/<name>`. */
  readonly url: string
  /** Removes it, cutting whoever is still connected. */
  drop(): Promise<void>
}

/** A fresh, empty database on the server that the run shares. It is not durable: fsync is off. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const maintenance = inject('postgresUrl')
  const name = `test_${randomBytes(8).toString('hex')}`
  // Copying the template's few files is quicker here than logging them page by page, as fsync is off.
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

/** A server of a test's own, as durable as the real one, for killing. Its database is `cadastre`. */
export interface TestPostgres {
  /** `postgres://cadastre@127.0.0.1:<port>/cadastre`; the same before and after a restart. */
  readonly url: string
  pid(): number
  /** SIGKILL, to the server's first process only: the rest notice by themselves, as in real life. */
  kill9(): void
  /** SIGSTOP to all of its processes: connections stay and nobody answers. */
  freeze(): void
  thaw(): void
  /** Starts it again on the same data; recovers where it was killed. */
  start(): Promise<void>
  /** A fast shutdown; the data stay for `start`. */
  stop(): Promise<void>
  /** Copies the data of a stopped server; the returned function puts them back, once, while it is stopped again. */
  copyData(): () => void
  /** Stops it and removes its data: call it when done. */
  remove(): Promise<void>
}

/** Starts a server of the test's own; takes about two seconds. */
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
      // A backend that has ended since they were counted.
      if (each === pid || (error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
