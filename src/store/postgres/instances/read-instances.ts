import { and, gt, isNotNull, sql } from 'drizzle-orm'
import type { EntryId } from '../../../core/entry/entry-id.js'
import { type Database, isAnyOf } from '../base/drizzle-client.js'
import { idColumns } from '../base/entry-row.js'
import type { Sql } from '../base/open-pool.js'
import { instance } from '../base/tables.js'
import { type InstanceColumns, instanceColumns } from './instance-row.js'

/** The advisory lock of the gateway that removes expired instances; an arbitrary number. */
const SWEEP_LOCK = 7_236_401

export type LiveRow = { readonly now: Date } & (InstanceColumns | { readonly id: null })

/**
 * Reads the live instances of these entries, ordered by token. If there are none, it returns one row without an
 * instance. Raw SQL, because every query for instances runs it, and one statement reads the clock and the rows.
 */
export async function readLive(sql: Sql, ids: readonly EntryId[]): Promise<readonly LiveRow[]> {
  const { ns, name } = idColumns(ids)
  return sql<LiveRow[]>`
    SELECT clock.now, ${sql.unsafe(instanceColumns('i'))}
    FROM (SELECT statement_timestamp() AS now) AS clock
    LEFT JOIN (
      instance i JOIN unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name) ON i.ns = wanted.ns AND i.name = wanted.name
    ) ON i.expires_at > clock.now
    ORDER BY i.token`
}

/** Reads live instances by their ids. Raw SQL, like `readLive`, which returns the same columns. */
export async function readById(sql: Sql, ids: readonly string[]): Promise<readonly InstanceColumns[]> {
  return sql<InstanceColumns[]>`
    SELECT ${sql.unsafe(instanceColumns('i'))} FROM instance i
    WHERE i.id = ANY(${ids as string[]}::uuid[]) AND i.expires_at > clock_timestamp()`
}

/** Reads the metadata of live instances, as JSON texts by id. Instances without metadata are left out. */
export async function readMetadata(database: Database, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await database
    .select({ id: instance.id, metadata: sql<string>`${instance.metadata}` })
    .from(instance)
    .where(and(isAnyOf(instance.id, ids), isNotNull(instance.metadata), gt(instance.expiresAt, sql`clock_timestamp()`)))
  return new Map(rows.map(({ id, metadata }) => [id, metadata]))
}

/**
 * Removes all expired instances, unless another gateway is doing so. Raw SQL, because one statement takes an advisory
 * lock, deletes and reads.
 * @returns milliseconds until the next expiry; null if there is no live instance
 */
export async function sweepInstances(sql: Sql): Promise<number | null> {
  // clock_timestamp() changes within the statement, so an index cannot be searched by it.
  const [row] = await sql<{ ms: number | null }[]>`
    WITH lock AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(${SWEEP_LOCK}::bigint) AS is_ours),
    gone AS (
      DELETE FROM instance WHERE id IN (
        SELECT id FROM instance WHERE (SELECT is_ours FROM lock) AND expires_at <= statement_timestamp() FOR UPDATE SKIP LOCKED
      )
    )
    SELECT (extract(epoch FROM min(expires_at) - statement_timestamp()) * 1000)::float8 AS ms
    FROM instance WHERE expires_at > statement_timestamp()`
  return row?.ms ?? null
}
