import type { EntryRevision } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import {
  type EntryRevisionKey,
  entryRevisionKey,
  type HistoryReader,
  type NamespaceSummary,
  type ReadAt,
} from '../../contract/history-reader.js'
import {
  checkUncompacted,
  isRetained,
  uncompactedRows,
  type WithOldestRevision,
  withOldestRevision,
} from '../base/compaction-guard.js'
import {
  type EntryColumns,
  entryColumns,
  entryOfColumns,
  idColumns,
  latestChange,
  storedId,
} from '../base/entry-row.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { boundedRows } from './bounded-rows.js'
import { cutPage } from './cut-page.js'

type EntryReads = Pick<
  HistoryReader,
  'entries' | 'entryRevisions' | 'namespaces' | 'entryHistories' | 'entryHistoryCounts' | 'entryCount'
>

/**
 * Reads entries, each with one statement however many ids. Raw SQL, because these reads are hot and look up ids by
 * `unnest`.
 * @param planned - a client whose sessions plan a statement once, because lookups by id take longer to plan than to run
 */
export function readEntries(client: RetryingClient, planned: RetryingClient): EntryReads {
  return {
    async entries(ids, at) {
      if (ids.length === 0) return new Map()
      const rows = await (at === 'head' ? entriesAtHead(planned, ids) : entriesAt(planned, ids, at))
      return new Map(rows.map((row) => [storedId(row.ns, row.name), entryOfColumns(row)]))
    },

    async entryRevisions(keys) {
      if (keys.length === 0) return new Map()
      const { ns, name } = idColumns(keys.map(({ id }) => id))
      const revisions = keys.map(({ revision }) => revision)
      const rows = await client.run(
        (sql) => sql<EntryColumns[]>`
        SELECT ${sql.unsafe(entryColumns('h'))}
        FROM unnest(${ns}::text[], ${name}::text[], ${revisions}::bigint[]) AS wanted(ns, name, revision)
        CROSS JOIN head_pointer pointer
        CROSS JOIN LATERAL (${sql.unsafe(latestChange('wanted', 'wanted.revision'))}) h
        WHERE h.revision = wanted.revision AND h.operation <> 'delete' AND ${sql.unsafe(isRetained('h'))}`,
      )
      return new Map(
        rows.map((row) => {
          const entry = entryOfColumns(row)
          return [entryRevisionKey(entry satisfies EntryRevisionKey), entry]
        }),
      )
    },

    async entryCount(at) {
      const rows = await client.run((sql) =>
        at === 'head'
          ? sql<{ entry_count: number }[]>`SELECT entry_count FROM head_pointer`
          : sql<{ entry_count: number }[]>`SELECT entry_count FROM transition WHERE revision = ${at}`,
      )
      return rows[0]?.entry_count ?? 0
    },

    namespaces: (at) => namespaces(client, at),

    async entryHistories(ids, page) {
      const found = new Map<EntryId, EntryRevision[]>(ids.map((id) => [id, []]))
      const { ns, name } = idColumns(ids)
      // The list is in descending order, so the items after a position are older.
      const olderThan = page.after ?? Number.MAX_SAFE_INTEGER
      const newerThan = page.before ?? -1
      const direction = page.fromEnd ? 'ASC' : 'DESC'
      const rows = await client.run((sql) =>
        boundedRows(sql<EntryColumns[]>`
        SELECT h.*
        FROM head_pointer pointer CROSS JOIN unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
        CROSS JOIN LATERAL (
          SELECT ${sql.unsafe(entryColumns('c'))} FROM change c
          WHERE (c.ns, c.name, c.revision) < (wanted.ns, wanted.name, ${olderThan}::bigint)
            AND (c.ns, c.name, c.revision) > (wanted.ns, wanted.name, ${newerThan}::bigint)
            AND c.operation <> 'delete' AND ${sql.unsafe(isRetained('c'))}
          ORDER BY c.ns ${sql.unsafe(direction)}, c.name ${sql.unsafe(direction)}, c.revision ${sql.unsafe(direction)}
          LIMIT ${page.limit + 1}
        ) h`),
      )
      for (const row of rows) found.get(storedId(row.ns, row.name))!.push(entryOfColumns(row))
      return new Map([...found].map(([id, entries]) => [id, cutPage(entries, page)]))
    },

    async entryHistoryCounts(ids) {
      const { ns, name } = idColumns(ids)
      const rows = await client.run(
        (sql) => sql<{ ns: string; name: string; count: number }[]>`
        SELECT c.ns, c.name, count(*) AS count
        FROM head_pointer pointer CROSS JOIN unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
        JOIN change c ON c.ns = wanted.ns AND c.name = wanted.name
        WHERE c.operation <> 'delete' AND ${sql.unsafe(isRetained('c'))} GROUP BY c.ns, c.name`,
      )
      const counts = new Map<EntryId, number>(ids.map((id) => [id, 0]))
      for (const row of rows) counts.set(storedId(row.ns, row.name), row.count)
      return counts
    },
  }
}

function entriesAtHead(client: RetryingClient, ids: readonly EntryId[]): Promise<EntryColumns[]> {
  const { ns, name } = idColumns(ids)
  return client.run(
    (sql) => sql<EntryColumns[]>`
    SELECT ${sql.unsafe(entryColumns('h'))}
    FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
    JOIN head h ON h.ns = wanted.ns AND h.name = wanted.name`,
  )
}

const ENTRIES_AT = `
  SELECT (SELECT oldest_revision FROM head_pointer) AS oldest, ${entryColumns('h')}
  FROM unnest($1::text[], $2::text[]) AS wanted(ns, name)
  CROSS JOIN LATERAL (${latestChange('wanted', '$3::bigint')}) h
  WHERE h.operation <> 'delete'`

async function entriesAt(
  client: RetryingClient,
  ids: readonly EntryId[],
  revision: number,
): Promise<readonly EntryColumns[]> {
  const { ns, name } = idColumns(ids)
  const rows = await client.run((sql) =>
    sql.unsafe<WithOldestRevision<EntryColumns>[]>(ENTRIES_AT, [ns, name, revision], { prepare: true }),
  )
  return checkUncompacted(client, rows, revision)
}

const NAMESPACES_AT = `${withOldestRevision(`
  SELECT e.ns, count(*) AS count
  FROM entry_name e
  CROSS JOIN LATERAL (${latestChange('e', '$1::bigint')}) h
  WHERE h.operation <> 'delete' GROUP BY e.ns`)} ORDER BY q.ns`

async function namespaces(client: RetryingClient, at: ReadAt): Promise<readonly NamespaceSummary[]> {
  type Row = { readonly ns: string; readonly count: number }
  const rows = await (at === 'head'
    ? client.run((sql) => sql<Row[]>`SELECT ns, count(*) AS count FROM head GROUP BY ns ORDER BY ns`)
    : client
        .run((sql) => sql.unsafe<WithOldestRevision<Row>[]>(NAMESPACES_AT, [at], { prepare: true }))
        .then((found) => uncompactedRows(found, at)))
  return rows.map(({ ns, count }) => ({ name: ns, entryCount: count }))
}
