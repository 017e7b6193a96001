import { entryIdParts } from '../../../core/entry/entry-id.js'
import type { HistoryReader, PageOf } from '../../contract/history-reader.js'
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

interface MemberColumns extends EntryColumns {
  readonly wanted: string
}

/** A position before all ids. */
const BEFORE_ALL = { ns: '', name: '' } as const

const CHANGED_SINCE = withOldestRevision(
  'SELECT ns, name FROM change WHERE revision > $1::bigint ORDER BY revision, position LIMIT $2::int',
)

/** Reads which entries refer to which at the head. Raw SQL, because it looks up many targets at once by `unnest`. */
export function readReferences(client: RetryingClient): ReferenceReads {
  return {
    async dependents(ids, { limit, after }) {
      const { ns, name } = idColumns(ids)
      const begin = after === null ? BEFORE_ALL : entryIdParts(after.source)
      const rows = await client.run(
        (sql) => sql<DependentColumns[]>`
        SELECT w.ns AS wanted_ns, w.name AS wanted_name, ${sql.unsafe(referenceColumns('p'))}
        FROM unnest(${ns}::text[], ${name}::text[]) AS w(ns, name)
        CROSS JOIN LATERAL (
          SELECT * FROM (
            SELECT r.* FROM reference r WHERE r.target_type = 'entry' AND r.target_ns = w.ns AND r.target_name = w.name
            UNION ALL
            SELECT r.* FROM reference r WHERE r.target_type = 'namespace' AND r.target_ns = w.ns AND r.target_name = ''
              AND (r.ns, r.name) <> (w.ns, w.name)
            UNION ALL
            SELECT r.* FROM (
              SELECT DISTINCT element #>> '{}' AS name FROM head h
              CROSS JOIN LATERAL jsonb_path_query(h.meta_index, 'strict $.groups[*] ? (@.type() == "string")', '{}', true) element
              WHERE h.ns = w.ns AND h.name = w.name
            ) g
            JOIN reference r ON r.target_type = 'group' AND r.target_ns = '' AND r.target_name = CASE
              WHEN octet_length(g.name) > ${MAX_GROUP_BYTES} THEN 'sha256:' || encode(sha256(convert_to(g.name, 'UTF8')), 'hex') ELSE g.name END
            WHERE (r.ns, r.name) <> (w.ns, w.name)
          ) pointed
          WHERE (ns, name, path COLLATE "C") > (${begin.ns}, ${begin.name}, ${after?.path ?? ''})
          ORDER BY ns, name, path COLLATE "C" LIMIT ${limit + 1}
        ) p
        ORDER BY wanted_ns, wanted_name, p.ns, p.name, p.path COLLATE "C"`,
      )
      return pagesOf(
        ids,
        rows,
        limit,
        (row) => storedId(row.wanted_ns, row.wanted_name),
        (row) => ({
          source: storedId(row.ns, row.name),
          path: row.path,
          reference: row.reference,
          target: targetOfColumns(row),
        }),
      )
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

    async entriesInGroups(groups, { limit, after }) {
      const begin = after === null ? BEFORE_ALL : entryIdParts(after)
      // OFFSET 0 keeps the planner from walking the whole registry by id until it has found enough members.
      const rows = await client.run(
        (sql) => sql<MemberColumns[]>`
        SELECT w.name AS wanted, ${sql.unsafe(entryColumns('h'))}
        FROM unnest(${[...groups]}::text[]) AS w(name)
        CROSS JOIN LATERAL (
          SELECT * FROM (
            SELECT m.* FROM head m WHERE m.meta_index @> jsonb_build_object('groups', jsonb_build_array(w.name)) OFFSET 0
          ) members
          WHERE (ns, name) > (${begin.ns}, ${begin.name}) ORDER BY ns, name LIMIT ${limit + 1}
        ) h
        ORDER BY wanted, h.ns, h.name`,
      )
      return pagesOf(groups, rows, limit, ({ wanted }) => wanted, entryOfColumns)
    },

    async entriesInNamespaces(namespaces, { limit, after }) {
      const begin = after === null ? BEFORE_ALL : entryIdParts(after)
      const rows = await client.run(
        (sql) => sql<MemberColumns[]>`
        SELECT w.name AS wanted, ${sql.unsafe(entryColumns('h'))}
        FROM unnest(${[...namespaces]}::text[]) AS w(name)
        CROSS JOIN LATERAL (
          SELECT * FROM head m WHERE m.ns = w.name AND (m.ns, m.name) > (${begin.ns}, ${begin.name})
          ORDER BY m.ns, m.name LIMIT ${limit + 1}
        ) h
        ORDER BY wanted, h.ns, h.name`,
      )
      return pagesOf(namespaces, rows, limit, ({ wanted }) => wanted, entryOfColumns)
    },
  }
}

/** Groups rows by the list that they belong to. Each list has one row more than the page if there are more items. */
function pagesOf<Key, Row, Item>(
  keys: readonly Key[],
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => Key,
  itemOf: (row: Row) => Item,
): Map<Key, PageOf<Item>> {
  const pages = new Map(keys.map((key) => [key, { items: [] as Item[], hasMore: false }]))
  for (const row of rows) {
    const page = pages.get(keyOf(row))!
    if (page.items.length < limit) page.items.push(itemOf(row))
    else page.hasMore = true
  }
  return pages
}
