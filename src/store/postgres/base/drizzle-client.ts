import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import type { Sql } from './open-pool.js'
import { RetryingClient, type RetryingClientOptions } from './retrying-client.js'

/** The builder of Drizzle queries, in a transaction or outside one. */
export type Database = Pick<
  PostgresJsDatabase,
  '$with' | 'delete' | 'execute' | 'insert' | 'select' | 'update' | 'with'
>

/**
 * A pool for Drizzle queries, with the deadline and the retries of `RetryingClient`. Drizzle changes how its client parses
 * timestamps, so a pool belongs either to Drizzle or to raw SQL. Raw SQL that neither sends nor reads a timestamp may
 * run here too.
 */
export class DrizzleClient {
  readonly #client: RetryingClient
  readonly #databases = new WeakMap<Sql, PostgresJsDatabase>()

  constructor(options: RetryingClientOptions) {
    this.#client = new RetryingClient(options)
  }

  /**
   * Runs a query until it succeeds or its deadline expires. It may run twice, because it is repeated if the connection breaks.
   * @throws RegistryError UNAVAILABLE, TIMEOUT
   */
  run<T>(query: (database: PostgresJsDatabase, sql: Sql) => Promise<T>, timeoutMs?: number): Promise<T> {
    return this.#client.run((pool) => query(this.#databaseOf(pool), pool), timeoutMs)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #databaseOf(pool: Sql): PostgresJsDatabase {
    const known = this.#databases.get(pool)
    if (known !== undefined) return known
    const database = drizzle({ client: preparing(pool as unknown as postgres.Sql) })
    this.#databases.set(pool, database)
    return database
  }
}

/**
 * A client that prepares the statements of Drizzle. Drizzle itself does not, which costs each query another round trip
 * and a plan. There are only a few statement texts, because values are parameters.
 */
function preparing<Client extends postgres.Sql | postgres.TransactionSql>(client: Client): Client {
  return new Proxy(client, {
    get(target, key) {
      if (key === 'unsafe')
        return (text: string, parameters: never[]) => target.unsafe(text, parameters, { prepare: true })
      if (key === 'begin')
        return (work: (sql: postgres.TransactionSql) => unknown) =>
          (target as postgres.Sql).begin((sql) => work(preparing(sql)))
      return Reflect.get(target, key)
    },
  })
}

/**
 * One parameter for all values, so that any number of them uses the same prepared statement. `inArray` has one for each
 * value.
 */
export function isAnyOf(column: PgColumn, values: readonly (number | string)[]): SQL {
  return sql`${column} = ANY(${sql.param([...values])})`
}

/** An instant, in milliseconds from now by the server's clock. */
export function millisecondsFromNow(ms: number): SQL {
  return sql`now() + ${ms} * interval '1 millisecond'`
}
