import type { EntryRevision } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import type { HistoryReader, ReferenceRow } from '../../contract/history-reader.js'
import { uncompactedRows, type WithOldestRevision, withOldestRevision } from '../base/compaction-guard.js'
import { type EntryColumns, entryColumns, entryOfColumns, idColumns, storedId } from '../base/entry-row.js'
import {
  MAX_GROUP_BYTES,
  type ReferenceColumns,
  referenceColumns,
  targetColumns,
  targetOfColumns,
} from '../base/reference-row.js'
import type { RetryingClient } from '../base/retrying-client.js'

type ReferenceReads = Pick<
  HistoryReader,
  'dependents' | 'referencesTo' | 'changedSince' | 'entriesInGroups' | 'entriesInNamespaces'
>

interface DependentColumns extends ReferenceColumns {
  readonly wanted_ns: string
  readonly wanted_name: string
}

const CHANGED_SINCE = withOldestRevision(
  'SELECT ns, name FROM change WHERE revision > $1::bigint ORDER BY revision, position LIMIT $2::int',
)

/** Reads which entries refer to which at the head. Raw SQL, because it looks up many targets at once by `unnest`. */
export function readReferences(client: RetryingClient): ReferenceReads {
  return {
    async dependents(ids) {
      const found = new Map<EntryId, ReferenceRow[]>(ids.map((id) => [id, []]))
      if (ids.length === 0) return found
      const { ns, name } = idColumns(ids)
      const rows = await client.run(
        (sql) => sql<DependentColumns[]>`
        WITH wanted AS MATERIALIZED (SELECT * FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)),
        pointed AS (
          SELECT w.ns AS wanted_ns, w.name AS wanted_name, r.* FROM wanted w
          JOIN reference r ON r.target_type = 'entry' AND r.target_ns = w.ns AND r.target_name = w.name
          UNION ALL
          SELECT w.ns, w.name, r.* FROM wanted w
          JOIN reference r ON r.target_type = 'namespace' AND r.target_ns = w.ns AND r.target_name = ''
          WHERE (r.ns, r.name) <> (w.ns, w.name)
          UNION ALL
          SELECT w.ns, w.name, r.* FROM wanted w
          JOIN head h ON h.ns = w.ns AND h.name = w.name
          CROSS JOIN LATERAL (
            SELECT DISTINCT element #>> '{}' AS name
            FROM jsonb_path_query(h.meta_index, 'strict $.groups[*] ? (@.type() == "string")', '{}', true) element
          ) g
          JOIN reference r ON r.target_type = 'group' AND r.target_ns = '' AND r.target_name = CASE
            WHEN octet_length(g.name) > ${MAX_GROUP_BYTES} THEN 'sha256:' || encode(sha256(convert_to(g.name, 'UTF8')), 'hex') ELSE g.name END
          WHERE (r.ns, r.name) <> (w.ns, w.name)
        )
        SELECT wanted_ns, wanted_name, ${sql.unsafe(referenceColumns('p'))}
        FROM pointed p ORDER BY wanted_ns, wanted_name, p.ns, p.name, p.ordinal`,
      )
      for (const row of rows) {
        const target = targetOfColumns(row)
        found
          .get(storedId(row.wanted_ns, row.wanted_name))!
          .push({ source: storedId(row.ns, row.name), path: row.path, reference: row.reference, target })
      }
      return found
    },

    async referencesTo(targets, unchangedSince, limit) {
      const columns = targets.map(targetColumns).filter((target) => target !== null)
      if (columns.length === 0 || limit === 0) return []
      const [types, ns, name] = [
        columns.map((c) => c.targetType),
        columns.map((c) => c.targetNs),
        columns.map((c) => c.targetName),
      ]
      const rows = await client.run(
        (sql) => sql<ReferenceColumns[]>`
        SELECT ${sql.unsafe(referenceColumns('r'))}
        FROM unnest(${types}::text[], ${ns}::text[], ${name}::text[]) AS wanted(type, ns, name)
        JOIN reference r ON r.target_type = wanted.type AND r.target_ns = wanted.ns AND r.target_name = wanted.name
        JOIN head h ON h.ns = r.ns AND h.name = r.name AND h.revision <= ${unchangedSince}
        ORDER BY r.target_type COLLATE "C", r.target_ns, r.target_name, r.ns, r.name, r.ordinal LIMIT ${limit}`,
      )
      return rows.map((row) => ({
        source: storedId(row.ns, row.name),
        path: row.path,
        reference: row.reference,
        target: targetOfColumns(row),
      }))
    },

    async changedSince(revision, limit) {
      type Row = WithOldestRevision<{ ns: string; name: string }>
      const found = await client.run((sql) =>
        sql.unsafe<Row[]>(CHANGED_SINCE, [revision, limit + 1], { prepare: true }),
      )
      const rows = uncompactedRows(found, revision)
      return rows.length > limit ? null : [...new Set(rows.map(({ ns, name }) => storedId(ns, name)))]
    },

    async entriesInGroups(groups) {
      const found = new Map<string, EntryRevision[]>(groups.map((group) => [group, []]))
      if (groups.length === 0) return found
      const rows = await client.run(
        (sql) => sql<(EntryColumns & { wanted: string })[]>`
        SELECT wanted.name AS wanted, ${sql.unsafe(entryColumns('h'))}
        FROM unnest(${[...groups]}::text[]) AS wanted(name)
        JOIN head h ON h.meta_index @> jsonb_build_object('groups', jsonb_build_array(wanted.name))
        ORDER BY h.ns, h.name`,
      )
      for (const row of rows) found.get(row.wanted)!.push(entryOfColumns(row))
      return found
    },

    async entriesInNamespaces(namespaces) {
      const found = new Map<string, EntryRevision[]>(namespaces.map((namespace) => [namespace, []]))
      if (namespaces.length === 0) return found
      const rows = await client.run(
        (sql) => sql<EntryColumns[]>`
        SELECT ${sql.unsafe(entryColumns('h'))}
        FROM head h WHERE h.ns = ANY(${[...namespaces]}::text[]) ORDER BY h.ns, h.name`,
      )
      for (const row of rows) found.get(row.ns)!.push(entryOfColumns(row))
      return found
    },
  }
}
