import postgres, { type Sql as DriverSql, type PostgresType, type TransactionSql } from 'postgres'
import { addArrayTypes } from './array-types.js'
import { connectionOptions } from './connection-options.js'

/** The driver, with int8 parsed as a number. */
export type Sql = DriverSql<{ bigint: number }>
/** The driver within one transaction. */
export type Transaction = TransactionSql<{ bigint: number }>

/** Settings of a session, which override the defaults of its role, database and server. */
export type SessionSettings = Readonly<Record<string, string | number>>

export interface PoolOptions {
  readonly connections: number
  /** Settings of its sessions, besides `SESSION_SETTINGS`. */
  readonly settings?: SessionSettings
  /** Options of the driver that this pool alone needs. */
  readonly driver?: object
}

/**
 * Settings that every session needs, whatever its role, database and server have as defaults. They are sent with the
 * connection's first message, so they cost no round trip. The last of them, `idle_session_timeout`, is of Postgres 14.
 */
export const SESSION_SETTINGS = {
  // The statements are short. With JIT, as Debian's servers have it, the first read after a write took 400 to 1,036 ms
  // instead of 7 to 31.
  jit: 'off',
  // Each pool sets its own deadlines. A role's timeout would end migrations, compaction and the listener. As texts,
  // because the driver does not send a number 0.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  // Commits compare a row that they lock, and find it changed. At other levels Postgres would fail them instead.
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  // The forms in which values are parsed.
  datestyle: 'ISO, MDY',
  timezone: 'UTC',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  // Plans are chosen by the switches of a pool, against these.
  plan_cache_mode: 'auto',
  enable_seqscan: 'on',
  enable_indexscan: 'on',
  enable_indexonlyscan: 'on',
  enable_bitmapscan: 'on',
  enable_nestloop: 'on',
  enable_hashjoin: 'on',
  enable_mergejoin: 'on',
  enable_sort: 'on',
} as const satisfies SessionSettings

/** Parses int8 as a number: revisions and versions stay far below 2^53. */
const BIGINT_AS_NUMBER: { bigint: PostgresType<number> } = {
  bigint: { to: 20, from: [20], serialize: (value: number) => String(value), parse: Number },
}

/** Opens a pool whose sessions have `SESSION_SETTINGS`. It connects when it is first used. */
export function openPool(databaseUrl: string, { connections, settings, driver }: PoolOptions): Sql {
  const session = { application_name: 'cadastre', ...SESSION_SETTINGS, ...settings }
  return addArrayTypes(
    postgres({
      ...connectionOptions(databaseUrl),
      ...driver,
      max: connections,
      types: BIGINT_AS_NUMBER,
      // The driver's type of `statement_timeout` is a number, which it does not send if it is 0.
      connection: session as object,
    }),
  )
}

/** Runs work on a connection of its own, without the deadline of reads. */
export async function withClient<T>(databaseUrl: string, work: (client: Sql) => Promise<T>): Promise<T> {
  const client = openPool(databaseUrl, { connections: 1 })
  try {
    return await work(client)
  } finally {
    await client.end({ timeout: 5 })
  }
}
