import type { EntryId } from '../../core/entry-id.js'
import type { EntryRevision } from '../../core/entry.js'
import type { HeadReader } from '../history.js'
import { ENTRY_COLUMNS, entryOfColumns, idColumns, storedId, type EntryColumns } from './entry-row.js'
import type { ReadClient } from './read-client.js'

/** Contents are told for so many of the latest changes, where they take no more bytes than this. */
const TOLD_CONTENTS = 100
const TOLD_BYTES = 4_096

type Nullable<Columns> = { readonly [Column in keyof Columns]: Columns[Column] | null }
type LookColumns = Nullable<EntryColumns> & {
  readonly at: number
  readonly at_version: number
  readonly oldest: number
  readonly changed_ns: string | null
  readonly changed_name: string | null
}
type AtColumns = Nullable<EntryColumns> & { readonly at: number }

/** Each is one statement, so that what it gives is of one revision, which it names. */
export function readHead(client: ReadClient): HeadReader {
  return {
    async look(since, limit) {
      // Ordered, so that the index is what the limit is taken from: a plan for any number would read the whole table.
      const rows = await client.read((sql) => sql<LookColumns[]>`
        SELECT p.revision AS at, p.version AS at_version, p.oldest_revision AS oldest, c.ns AS changed_ns, c.name AS changed_name, ${sql.unsafe(ENTRY_COLUMNS)}
        FROM head_pointer p
        LEFT JOIN (
          SELECT ns, name, row_number() OVER (ORDER BY revision DESC, position DESC) AS place
          FROM change WHERE revision > ${since} ORDER BY revision DESC, position DESC LIMIT ${limit + 1}
        ) c ON true
        LEFT JOIN head h ON c.place <= ${TOLD_CONTENTS} AND h.ns = c.ns AND h.name = c.name
          AND pg_column_size(h.meta) + pg_column_size(h.data) <= ${TOLD_BYTES}`)
      const { at, at_version: version, oldest } = rows[0]!
      const head = { revision: at, version }
      // Compaction removes changes before the oldest revision, deletes above all.
      if (rows.length > limit || since + 1 < oldest) return { head, changed: null }
      const changed = new Map<EntryId, EntryRevision | null>()
      for (const row of rows) {
        if (row.changed_ns !== null) changed.set(storedId(row.changed_ns, row.changed_name!), row.ns === null ? null : entryOfColumns(row as EntryColumns))
      }
      return { head, changed }
    },

    async entries(ids) {
      const { ns, name } = idColumns(ids)
      const rows = await client.read((sql) => sql<AtColumns[]>`
        SELECT p.revision AS at, h.* FROM head_pointer p LEFT JOIN (
          SELECT ${sql.unsafe(ENTRY_COLUMNS)}
          FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
          JOIN head h ON h.ns = wanted.ns AND h.name = wanted.name
        ) h ON true`)
      const entries = new Map<EntryId, EntryRevision>()
      for (const row of rows) if (row.ns !== null) entries.set(storedId(row.ns, row.name!), entryOfColumns(row as EntryColumns))
      return { revision: rows[0]!.at, entries }
    },
  }
}
