import { randomUUID } from 'node:crypto'
import type { EntryId } from '../../../core/entry/entry-id.js'
import { entryIdParts } from '../../../core/entry/entry-id.js'
import {
  type EntryRecord,
  LeaseLost,
  type LocationRecord,
  type ReloadRequest,
  type SourceRecords,
} from '../../contract/source-records.js'
import { EXCHANGE_CHANNEL } from '../base/channels.js'
import { idColumns, storedId } from '../base/entry-row.js'
import type { Notifications } from '../base/notifications.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { COPY_FROM_ROWS } from '../commit/copy-batch.js'
import { cutPage } from '../read/cut-page.js'

/** What is told on the exchange's channel; gateways' ids are no such word. */
const CALL = 'sources'
/** Requests whose askers have gone. */
const OLD_REQUEST = '1 hour'

interface EntryColumns {
  readonly ns: string
  readonly name: string
  readonly location: string | null
  readonly digest: string
  readonly revision: number | null
}

/** Every statement here may be sent twice, as a read may be: the client tries again where a connection broke. */
export function sourceRows(client: RetryingClient, notifications: Notifications): SourceRecords {
  const holder = randomUUID()
  let unanalysed = 0
  let analyseAfter = COPY_FROM_ROWS
  return {
    holder,
    async acquireLeases(sources, leaseMs) {
      const until = `${leaseMs} milliseconds`
      const rows = await client.run(
        (sql) => sql<{ name: string; term: number }[]>`
        INSERT INTO source (name, holder, lease_until)
        SELECT name, ${holder}, now() + ${until}::interval FROM unnest(${[...sources].sort()}::text[]) AS wanted(name)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until,
          term = source.term + CASE WHEN source.holder = excluded.holder THEN 0 ELSE 1 END
        WHERE source.holder = ${holder} OR source.lease_until < now()
        RETURNING name, term`,
      )
      return new Map(rows.map(({ name, term }) => [name, term]))
    },
    async beginWrites(source) {
      const rows = await client.run(
        (sql) => sql`
        UPDATE source SET writing_since = coalesce(writing_since, (SELECT revision FROM head_pointer))
        WHERE name = ${source} AND holder = ${holder} AND lease_until > now() RETURNING 1`,
      )
      if (rows.length === 0) throw new LeaseLost(source)
    },
    async endWrites(source) {
      const rows = await client.run(
        (sql) => sql`
        UPDATE source SET writing_since = NULL WHERE name = ${source} AND holder = ${holder} AND lease_until > now() RETURNING 1`,
      )
      if (rows.length === 0) throw new LeaseLost(source)
    },
    async unsettledSince(source) {
      const [row] = await client.run(
        (sql) => sql<{ since: number | null }[]>`SELECT writing_since AS since FROM source WHERE name = ${source}`,
      )
      return row?.since ?? null
    },
    async releaseLeases(sources) {
      await client.run(
        (sql) => sql`
        WITH gone AS (UPDATE source SET lease_until = '-infinity' WHERE name = ANY(${[...sources]}::text[]) AND holder = ${holder})
        SELECT pg_notify(${EXCHANGE_CHANNEL}, ${CALL})`,
      )
    },

    locations: (source) =>
      client.run(
        (sql) => sql<LocationRecord[]>`
      SELECT location, stamp, entries FROM source_location WHERE source = ${source}
      UNION ALL
      SELECT stray.location, NULL, 0 FROM (
        SELECT location FROM source_entry WHERE source = ${source} AND location IS NOT NULL
        EXCEPT SELECT location FROM source_location WHERE source = ${source}
      ) stray`,
      ),
    async entries(source, ids) {
      const { ns, name } = idColumns(ids)
      const rows = await client.run(
        (sql) => sql<EntryColumns[]>`
        SELECT e.ns, e.name, e.location, e.digest, e.revision
        FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
        JOIN source_entry e ON e.source = ${source} AND e.ns = wanted.ns AND e.name = wanted.name`,
      )
      return new Map(rows.map((row) => [storedId(row.ns, row.name), recordOf(row)]))
    },
    async entriesIn(source, locations) {
      const rows = await client.run(
        (sql) => sql<EntryColumns[]>`
        SELECT e.ns, e.name, e.location, e.digest, e.revision
        FROM unnest(${[...locations]}::text[]) AS wanted(location)
        JOIN source_entry e ON e.source = ${source} AND md5(e.location) = md5(wanted.location) AND e.location = wanted.location`,
      )
      return rows.map(recordOf)
    },
    async owners(ids) {
      const { ns, name } = idColumns(ids)
      const rows = await client.run(
        (sql) => sql<{ ns: string; name: string; source: string }[]>`
        SELECT e.ns, e.name, e.source
        FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
        JOIN source_entry e ON e.ns = wanted.ns AND e.name = wanted.name AND e.revision IS NOT NULL`,
      )
      return new Map(rows.map((row) => [storedId(row.ns, row.name), row.source]))
    },
    async deletedSince(written) {
      const { ns, name } = idColumns(written.map(({ id }) => id))
      const revisions = written.map(({ revision }) => revision)
      const rows = await client.run(
        (sql) => sql<{ ns: string; name: string }[]>`
        SELECT wanted.ns, wanted.name
        FROM unnest(${ns}::text[], ${name}::text[], ${revisions}::bigint[]) AS wanted(ns, name, revision)
        WHERE EXISTS (
          SELECT 1 FROM change c WHERE c.ns = wanted.ns AND c.name = wanted.name
            AND c.revision > wanted.revision AND c.operation IN ('delete', 'replace')
        )`,
      )
      return new Set(rows.map((row) => storedId(row.ns, row.name)))
    },
    async save(source, { entries, removedEntries, locations, removedLocations }) {
      const put = entryColumns(entries)
      const owned = idColumns(entries.filter(({ revision }) => revision !== null).map(({ id }) => id))
      const removed = idColumns(removedEntries)
      const [found] = await client.run(
        (sql) => sql<{ held: boolean }[]>`
        WITH lease AS (SELECT 1 FROM source WHERE name = ${source} AND holder = ${holder} AND lease_until > now() FOR SHARE),
        gone AS (
          DELETE FROM source_entry e USING lease, unnest(${removed.ns}::text[], ${removed.name}::text[]) AS wanted(ns, name)
          WHERE e.source = ${source} AND e.ns = wanted.ns AND e.name = wanted.name
        ),
        put AS (
          INSERT INTO source_entry (source, ns, name, location, digest, revision)
          SELECT ${source}, given.* FROM lease, unnest(
            ${put.ns}::text[], ${put.name}::text[], ${put.location}::text[], ${put.digest}::text[], ${put.revision}::bigint[]
          ) AS given(ns, name, location, digest, revision)
          ON CONFLICT (source, ns, name) DO UPDATE
          SET location = excluded.location, digest = excluded.digest, revision = excluded.revision
        ),
        taken AS (
          UPDATE source_entry e SET revision = NULL
          FROM lease, unnest(${owned.ns}::text[], ${owned.name}::text[]) AS wanted(ns, name)
          WHERE e.ns = wanted.ns AND e.name = wanted.name AND e.revision IS NOT NULL AND e.source <> ${source}
        ),
        left_behind AS (
          DELETE FROM source_location l USING lease, unnest(${[...removedLocations]}::text[]) AS wanted(location)
          WHERE l.source = ${source} AND l.key = md5(wanted.location)
        ),
        kept AS (
          INSERT INTO source_location (source, key, location, stamp, entries)
          SELECT ${source}, md5(given.location), given.* FROM lease, unnest(
            ${locations.map(({ location }) => location)}::text[], ${locations.map(({ stamp }) => stamp)}::text[],
            ${locations.map((record) => record.entries)}::integer[]
          ) AS given(location, stamp, entries)
          ON CONFLICT (source, key) DO UPDATE SET location = excluded.location, stamp = excluded.stamp, entries = excluded.entries
        )
        SELECT EXISTS (SELECT 1 FROM lease) AS held`,
      )
      if (!found!.held) throw new LeaseLost(source)
      // Until the server's own turn comes, a minute later, it would plan for an empty table.
      unanalysed += entries.length + locations.length
      if (unanalysed >= analyseAfter) {
        unanalysed = 0
        analyseAfter *= 2
        await client.run((sql) => sql`ANALYZE source_entry, source_location`).catch(() => undefined)
      }
    },

    async ownedPage(source, page) {
      const rows = await client.run((sql) => {
        const bound = (operator: string, id: EntryId | null) => {
          if (id === null) return sql``
          const { ns, name } = entryIdParts(id)
          return sql`AND (e.ns, e.name) ${sql.unsafe(operator)} (${ns}, ${name})`
        }
        const direction = sql.unsafe(page.fromEnd ? 'DESC' : 'ASC')
        return sql<{ ns: string; name: string }[]>`
          SELECT e.ns, e.name FROM source_entry e JOIN head h ON h.ns = e.ns AND h.name = e.name
          WHERE e.source = ${source} AND e.revision IS NOT NULL ${bound('>', page.after)} ${bound('<', page.before)}
          ORDER BY e.ns ${direction}, e.name ${direction} LIMIT ${page.limit + 1}`
      })
      return cutPage(
        rows.map((row) => storedId(row.ns, row.name)),
        page,
      )
    },
    async ownedCount(source) {
      const [row] = await client.run(
        (sql) => sql<{ count: number }[]>`
        SELECT count(*) AS count FROM source_entry e JOIN head h ON h.ns = e.ns AND h.name = e.name
        WHERE e.source = ${source} AND e.revision IS NOT NULL`,
      )
      return row!.count
    },

    async states(sources) {
      const rows = await client.run(
        (sql) => sql<{ name: string; state: string }[]>`
        SELECT name, state FROM source WHERE name = ANY(${[...sources]}::text[]) AND state IS NOT NULL`,
      )
      return new Map(rows.map(({ name, state }) => [name, state]))
    },
    async saveState(source, state) {
      const rows = await client.run(
        (sql) => sql`
        UPDATE source SET state = ${state} WHERE name = ${source} AND holder = ${holder} AND lease_until > now() RETURNING 1`,
      )
      if (rows.length === 0) throw new LeaseLost(source)
    },

    async requestReload(source) {
      const request: ReloadRequest = { id: randomUUID(), source }
      await client.run(
        (sql) => sql`
        WITH old AS (DELETE FROM source_request WHERE asked_at < now() - ${OLD_REQUEST}::interval),
        asked AS (INSERT INTO source_request (id, source) VALUES (${request.id}, ${source}) ON CONFLICT DO NOTHING)
        SELECT pg_notify(${EXCHANGE_CHANNEL}, ${CALL})`,
      )
      return request
    },
    pendingReloads: (sources) =>
      client.run(
        (sql) => sql<ReloadRequest[]>`
      SELECT id, source FROM source_request WHERE report IS NULL AND source = ANY(${[...sources]}::text[])`,
      ),
    async answerReloads(requests, report) {
      if (requests.length === 0) return
      await client.run(
        (sql) => sql`
        WITH answered AS (UPDATE source_request SET report = ${report} WHERE id = ANY(${requests.map(({ id }) => id)}::uuid[]))
        SELECT pg_notify(${EXCHANGE_CHANNEL}, ${CALL})`,
      )
    },
    async takeReloadReport({ id }) {
      const [row] = await client.run(
        (sql) => sql<{ report: string | null }[]>`SELECT report FROM source_request WHERE id = ${id}`,
      )
      if (row === undefined || row.report === null) return null
      await client.run((sql) => sql`DELETE FROM source_request WHERE id = ${id}`)
      return row.report
    },
    onSignal: (listener) =>
      notifications.onExchange((addressee) => {
        if (addressee === null || addressee === CALL) listener()
      }),
  }
}

function recordOf({ ns, name, location, digest, revision }: EntryColumns): EntryRecord {
  return { id: storedId(ns, name), location, digest, revision }
}

function entryColumns(entries: readonly EntryRecord[]) {
  return {
    ...idColumns(entries.map(({ id }) => id)),
    location: entries.map(({ location }) => location),
    digest: entries.map(({ digest }) => digest),
    revision: entries.map(({ revision }) => revision),
  }
}
