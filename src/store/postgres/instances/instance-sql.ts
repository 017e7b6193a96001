import type { EntryId } from '../../../core/entry/entry-id.js'
import type { Instance } from '../../../core/entry/instance.js'
import { utf8Length } from '../../../core/entry/text.js'
import type { AcquireRequest } from '../../contract/instances.js'
import { INSTANCE_CHANNEL } from '../base/channels.js'
import { idColumns, storedId } from '../base/entry-row.js'
import type { Sql, Transaction } from '../base/retrying-client.js'

/*
 * Each of these is one statement of its own, so a gateway that stops breathing holds no lock, and each may be sent
 * twice. Times are the server's.
 *
 * Whoever locks several rows here takes those that are free and leaves the others for another try. The one exception
 * is an acquire, which waits for an id's count of tokens and then for a name; it locks ids in their order, and a commit
 * that wants what it holds has by then locked nothing that it waits for. So nobody waits in a circle.
 *
 *   acquire   head row, shared ─▶ count of tokens ─▶ instance          commit   head_pointer ─▶ head rows that it
 *   renew, release, sweep   instance                                            deletes ─▶ their instances
 */

export interface InstanceColumns {
  readonly id: string
  readonly ns: string
  readonly name: string
  readonly holder: string
  readonly acquired_at: Date
  readonly expires_at: Date
  readonly token: number
  readonly metadata_bytes: number
}

export function instanceOfColumns(row: InstanceColumns): Instance {
  return {
    id: row.id,
    entryId: storedId(row.ns, row.name),
    name: row.holder,
    acquiredAt: row.acquired_at,
    expiresAt: row.expires_at,
    fencingToken: row.token,
    metadataBytes: row.metadata_bytes,
  }
}

const columns = (sql: Sql) => sql`i.id, i.ns, i.name, i.holder, i.acquired_at, i.expires_at, i.token, i.metadata_bytes`

/** Beyond that many entries one message says that it may be any. */
const TOLD_ENTRIES = 50
/** Any number of its own. */
const SWEEP_LOCK = 7_236_401

/** Tells of the entries of the CTE `done`; it must be read for that. */
const told = (sql: Sql) => sql`told AS (
  SELECT pg_notify(${INSTANCE_CHANNEL}, CASE WHEN entries <= ${TOLD_ENTRIES} THEN ns || ':' || name ELSE '*' END)
  FROM (SELECT ns, name, count(*) OVER () AS entries FROM done GROUP BY ns, name) AS changed
)`

const thereById = (sql: Sql) => sql`there AS MATERIALIZED (
  SELECT a.id, a.place, i.id IS NOT NULL AS was_there, false AS is_held
  FROM asked a LEFT JOIN instance i ON i.id = a.id AND i.expires_at > clock_timestamp()
)`

/** A row of `there` for each request, in order, then those of `done`, in any. */
const found = (sql: Sql) => sql`
  SELECT id, was_there, is_held, NULL AS ns, NULL AS name, NULL AS holder, NULL AS acquired_at, NULL AS expires_at, NULL AS token, NULL AS metadata_bytes, place
  FROM there WHERE (SELECT count(*) FROM told) >= 0
  UNION ALL
  SELECT id, NULL, NULL, ns, name, holder, acquired_at, expires_at, token, metadata_bytes, NULL FROM done
  ORDER BY place NULLS LAST`

/** Of a request, as it was found when its statement began; or an instance as it is now that it was done. */
export type FoundRow =
  | { readonly id: string; readonly place: number; readonly was_there: boolean; readonly is_held: boolean }
  | (InstanceColumns & { readonly place: null })

/**
 * Of each request, in order, whether it may be done, and those that were done. No two may be for the same name of the
 * same entry. Who asks for a name that is held writes nothing, so that many may wait for it; should two find it free at
 * once, the second waits for the first and then fails.
 *
 * No two lists are joined here: 500 by 500, five times over, took 100 ms.
 */
export async function acquireInstances(sql: Sql, requests: readonly AcquireRequest[]): Promise<readonly FoundRow[]> {
  const { ns, name } = idColumns(requests.map(({ entryId }) => entryId))
  return sql<FoundRow[]>`
    WITH asked AS MATERIALIZED (
      SELECT * FROM unnest(
        ${requests.map(({ id }) => id)}::uuid[], ${ns}::text[], ${name}::text[], ${requests.map((request) => request.name)}::text[],
        ${requests.map(({ ttlSeconds }) => ttlSeconds)}::int[], ${requests.map(({ metadataText }) => metadataText)}::text[],
        ${requests.map(({ metadataText }) => utf8Length(metadataText ?? ''))}::int[]
      ) WITH ORDINALITY AS a(id, ns, name, holder, ttl_seconds, metadata, metadata_bytes, place)
    ), there AS MATERIALIZED (
      SELECT a.id, a.place, h.ns IS NOT NULL AS was_there, EXISTS (
        SELECT FROM instance i WHERE i.ns = a.ns AND i.name = a.name AND i.holder = a.holder AND i.expires_at > clock_timestamp() AND i.id <> a.id
      ) AS is_held, a.ns, a.name, a.holder, a.ttl_seconds, a.metadata, a.metadata_bytes
      FROM asked a LEFT JOIN head h ON h.ns = a.ns AND h.name = a.name
    ), free AS MATERIALIZED (
      SELECT h.ns, h.name, t.id, t.place, t.holder, t.ttl_seconds, t.metadata, t.metadata_bytes
      FROM there t JOIN head h ON h.ns = t.ns AND h.name = t.name WHERE NOT t.is_held FOR KEY SHARE OF h SKIP LOCKED
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
      RETURNING ${columns(sql)}
    ), ${told(sql)}
    ${found(sql)}`
}

export async function renewInstances(
  sql: Sql,
  requests: readonly { readonly id: string; readonly ttlSeconds: number | null }[],
): Promise<readonly FoundRow[]> {
  return sql<FoundRow[]>`
    WITH asked AS MATERIALIZED (
      SELECT * FROM unnest(${requests.map(({ id }) => id)}::uuid[], ${requests.map(({ ttlSeconds }) => ttlSeconds)}::int[])
        WITH ORDINALITY AS a(id, ttl_seconds, place)
    ), ${thereById(sql)}, mine AS MATERIALIZED (
      SELECT i.id, a.ttl_seconds FROM asked a JOIN instance i ON i.id = a.id WHERE i.expires_at > clock_timestamp() FOR NO KEY UPDATE OF i SKIP LOCKED
    ), done AS (
      UPDATE instance i SET ttl_seconds = coalesce(m.ttl_seconds, i.ttl_seconds),
        expires_at = clock_timestamp() + coalesce(m.ttl_seconds, i.ttl_seconds) * interval '1 second'
      FROM mine m WHERE i.id = m.id
      RETURNING ${columns(sql)}
    ), ${told(sql)}
    ${found(sql)}`
}

export async function releaseInstances(sql: Sql, ids: readonly string[]): Promise<readonly FoundRow[]> {
  return sql<FoundRow[]>`
    WITH asked AS MATERIALIZED (
      SELECT * FROM unnest(${ids as string[]}::uuid[]) WITH ORDINALITY AS a(id, place)
    ), ${thereById(sql)}, mine AS MATERIALIZED (
      SELECT i.id FROM asked a JOIN instance i ON i.id = a.id WHERE i.expires_at > clock_timestamp() FOR UPDATE OF i SKIP LOCKED
    ), done AS (
      DELETE FROM instance i USING mine m WHERE i.id = m.id RETURNING ${columns(sql)}
    ), ${told(sql)}
    ${found(sql)}`
}

export type LiveRow = InstanceColumns | { readonly now: Date; readonly id: null }

/** Live instances of these entries, by token; one row without any where there is none. */
export async function readLive(
  sql: Sql,
  ids: readonly EntryId[],
): Promise<readonly (LiveRow & { readonly now: Date })[]> {
  const { ns, name } = idColumns(ids)
  return sql<(LiveRow & { now: Date })[]>`
    SELECT clock.now, ${columns(sql)}
    FROM (SELECT statement_timestamp() AS now) AS clock
    LEFT JOIN (
      instance i JOIN unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name) ON i.ns = wanted.ns AND i.name = wanted.name
    ) ON i.expires_at > clock.now
    ORDER BY i.token`
}

export async function readMetadata(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly { readonly id: string; readonly metadata: string }[]> {
  return sql<{ id: string; metadata: string }[]>`
    SELECT id, metadata FROM instance
    WHERE id = ANY(${ids as string[]}::uuid[]) AND metadata IS NOT NULL AND expires_at > clock_timestamp()`
}

/** Removes all that has expired, if nobody else is about it; milliseconds until the next expiry. */
export async function sweepInstances(sql: Sql): Promise<number | null> {
  // Of the two clocks this one does not move within a statement, so an index can be searched by it.
  const [row] = await sql<{ ms: number | null }[]>`
    WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(${SWEEP_LOCK}::bigint) AS is_ours),
    gone AS (
      DELETE FROM instance WHERE id IN (
        SELECT id FROM instance WHERE (SELECT is_ours FROM turn) AND expires_at <= statement_timestamp() FOR UPDATE SKIP LOCKED
      )
    )
    SELECT (extract(epoch FROM min(expires_at) - statement_timestamp()) * 1000)::float8 AS ms
    FROM instance WHERE expires_at > statement_timestamp()`
  return row?.ms ?? null
}

/** Nobody acquires an instance of these entries until the transaction ends. No async function: see `readStanding`. */
export function lockEntries(sql: Sql | Transaction, ids: readonly EntryId[]): PromiseLike<unknown> | [] {
  if (ids.length === 0) return []
  const { ns, name } = idColumns(ids)
  return sql`
    SELECT FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
    JOIN head h ON h.ns = wanted.ns AND h.name = wanted.name FOR UPDATE OF h`
}

export interface UseColumns {
  readonly ns: string
  readonly name: string
  readonly live: number
}

/** Entries that have instances, and how many of them live. Sees what was acquired while the lock was waited for. */
export function readUse(sql: Sql | Transaction, ids: readonly EntryId[]): PromiseLike<readonly UseColumns[]> | [] {
  if (ids.length === 0) return []
  const { ns, name } = idColumns(ids)
  return sql<UseColumns[]>`
    SELECT i.ns, i.name, count(*) FILTER (WHERE i.expires_at > clock_timestamp())::int AS live
    FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
    JOIN instance i ON i.ns = wanted.ns AND i.name = wanted.name GROUP BY i.ns, i.name`
}

export async function endInstances(sql: Transaction, ids: readonly EntryId[]): Promise<void> {
  const { ns, name } = idColumns(ids)
  await sql`
    WITH done AS (
      DELETE FROM instance i USING unnest(${ns}::text[], ${name}::text[]) AS ended(ns, name)
      WHERE i.ns = ended.ns AND i.name = ended.name RETURNING i.ns, i.name
    ), ${told(sql as unknown as Sql)}
    SELECT count(*) FROM told`
}
