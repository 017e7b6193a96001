import { utf8Length } from '../../../core/entry/text.js'
import type { AcquireRequest } from '../../contract/instances.js'
import { idColumns } from '../base/entry-row.js'
import type { Sql } from '../base/open-pool.js'
import { INSTANCE_COLUMN_KEYS, type InstanceColumns, instanceColumns, notifiedEntries } from './instance-row.js'

/*
 * One raw statement for each batch, so a gateway that stops responding holds no lock. Each may run twice, because the client
 * repeats it if the connection breaks. README.md shows the order of locks.
 */

/** A request as the statement found it when it began, or an instance that the statement changed. */
export type RequestRow =
  | { readonly id: string; readonly place: number; readonly wasFound: boolean; readonly isHeld: boolean }
  | (InstanceColumns & { readonly place: null })

const presentById = (sql: Sql) => sql`present AS MATERIALIZED (
  SELECT r.id, r.place, i.id IS NOT NULL AS was_found, false AS is_held
  FROM requested r LEFT JOIN instance i ON i.id = r.id AND i.expires_at > clock_timestamp()
)`

/** One row of `present` for each request, in order, then the rows of `done` in any order. */
const requestRows = (sql: Sql) =>
  sql.unsafe(`
  SELECT id, was_found AS "wasFound", is_held AS "isHeld", ${INSTANCE_COLUMN_KEYS.map((key) => `NULL AS ${key}`).join(', ')}, place
  FROM present WHERE (SELECT count(*) FROM notified) >= 0
  UNION ALL
  SELECT id, NULL, NULL, ${INSTANCE_COLUMN_KEYS.join(', ')}, NULL FROM done
  ORDER BY place NULLS LAST`)

const returned = (sql: Sql) => sql.unsafe(instanceColumns('i'))

/**
 * Acquires instances. No two requests may be for the same name of the same entry. A request for a name that is held
 * writes nothing, so many may wait for it. If two requests find it free at once, the second waits for the first and
 * fails.
 *
 * The statement joins no two lists, because joining 500 requests to 500 rows five times took 100 ms.
 */
export async function acquireInstances(sql: Sql, requests: readonly AcquireRequest[]): Promise<readonly RequestRow[]> {
  const { ns, name } = idColumns(requests.map(({ entryId }) => entryId))
  return sql<RequestRow[]>`
    WITH requested AS MATERIALIZED (
      SELECT * FROM unnest(
        ${requests.map(({ id }) => id)}::uuid[], ${ns}::text[], ${name}::text[], ${requests.map((request) => request.name)}::text[],
        ${requests.map(({ ttlSeconds }) => ttlSeconds)}::int[], ${requests.map(({ metadataText }) => metadataText)}::text[],
        ${requests.map(({ metadataText }) => utf8Length(metadataText ?? ''))}::int[]
      ) WITH ORDINALITY AS r(id, ns, name, holder, ttl_seconds, metadata, metadata_bytes, place)
    ), present AS MATERIALIZED (
      SELECT r.id, r.place, h.ns IS NOT NULL AS was_found, EXISTS (
        SELECT FROM instance i WHERE i.ns = r.ns AND i.name = r.name AND i.holder = r.holder AND i.expires_at > clock_timestamp() AND i.id <> r.id
      ) AS is_held, r.ns, r.name, r.holder, r.ttl_seconds, r.metadata, r.metadata_bytes
      FROM requested r LEFT JOIN head h ON h.ns = r.ns AND h.name = r.name
    ), free AS MATERIALIZED (
      SELECT h.ns, h.name, p.id, p.place, p.holder, p.ttl_seconds, p.metadata, p.metadata_bytes
      FROM present p JOIN head h ON h.ns = p.ns AND h.name = p.name WHERE NOT p.is_held FOR KEY SHARE OF h SKIP LOCKED
    ), counted AS (
      INSERT INTO fencing AS f (ns, name, token)
      SELECT ns, name, count(*) FROM free GROUP BY ns, name ORDER BY ns, name
      ON CONFLICT (ns, name) DO UPDATE SET token = f.token + excluded.token
      RETURNING f.ns, f.name, f.token
    ), last AS (
      SELECT array_agg(token ORDER BY ns, name) AS tokens FROM counted
    ), done AS (
      INSERT INTO instance AS i (id, ns, name, holder, acquired_at, expires_at, ttl_seconds, token, metadata, metadata_bytes)
      SELECT id, ns, name, holder, clock_timestamp(), clock_timestamp() + ttl_seconds * interval '1 second', ttl_seconds,
        last.tokens[dense_rank() OVER (ORDER BY ns, name)] + 1 - row_number() OVER (PARTITION BY ns, name ORDER BY place DESC), metadata, metadata_bytes
      FROM free, last
      ORDER BY ns, name, holder
      ON CONFLICT (ns, name, holder) DO UPDATE SET id = excluded.id, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at,
        ttl_seconds = excluded.ttl_seconds, token = excluded.token, metadata = excluded.metadata, metadata_bytes = excluded.metadata_bytes
        WHERE i.expires_at <= clock_timestamp() OR i.id = excluded.id
      RETURNING ${returned(sql)}
    ), ${notifiedEntries(sql)}
    ${requestRows(sql)}`
}

/** Renews instances, each by its own time to live, or by the requested one if there is one. */
export async function renewInstances(
  sql: Sql,
  requests: readonly { readonly id: string; readonly ttlSeconds: number | null }[],
): Promise<readonly RequestRow[]> {
  return sql<RequestRow[]>`
    WITH requested AS MATERIALIZED (
      SELECT * FROM unnest(${requests.map(({ id }) => id)}::uuid[], ${requests.map(({ ttlSeconds }) => ttlSeconds)}::int[])
        WITH ORDINALITY AS r(id, ttl_seconds, place)
    ), ${presentById(sql)}, free AS MATERIALIZED (
      SELECT i.id, r.ttl_seconds FROM requested r JOIN instance i ON i.id = r.id WHERE i.expires_at > clock_timestamp() FOR NO KEY UPDATE OF i SKIP LOCKED
    ), done AS (
      UPDATE instance i SET ttl_seconds = coalesce(f.ttl_seconds, i.ttl_seconds),
        expires_at = clock_timestamp() + coalesce(f.ttl_seconds, i.ttl_seconds) * interval '1 second'
      FROM free f WHERE i.id = f.id
      RETURNING ${returned(sql)}
    ), ${notifiedEntries(sql)}
    ${requestRows(sql)}`
}

export async function releaseInstances(sql: Sql, ids: readonly string[]): Promise<readonly RequestRow[]> {
  return sql<RequestRow[]>`
    WITH requested AS MATERIALIZED (
      SELECT * FROM unnest(${ids as string[]}::uuid[]) WITH ORDINALITY AS r(id, place)
    ), ${presentById(sql)}, free AS MATERIALIZED (
      SELECT i.id FROM requested r JOIN instance i ON i.id = r.id WHERE i.expires_at > clock_timestamp() FOR UPDATE OF i SKIP LOCKED
    ), done AS (
      DELETE FROM instance i USING free f WHERE i.id = f.id RETURNING ${returned(sql)}
    ), ${notifiedEntries(sql)}
    ${requestRows(sql)}`
}
