import { and, asc, count, desc, eq, gt, isNotNull, lt, type SQL, sql } from 'drizzle-orm'
import { type EntryId, entryIdParts } from '../../../core/entry/entry-id.js'
import type { EntryRecord, LocationRecord, SourceRecords } from '../../contract/source-records.js'
import type { StoredRow } from '../base/columns.js'
import type { DrizzleClient } from '../base/drizzle-client.js'
import { idColumns, storedId } from '../base/entry-row.js'
import { head, sourceEntry } from '../base/tables.js'
import { cutPage } from '../read/cut-page.js'

type SourceEntries = Pick<
  SourceRecords,
  'locations' | 'entries' | 'entriesIn' | 'owners' | 'deletedSince' | 'ownedPage' | 'ownedCount'
>

type RecordColumns = Pick<StoredRow<typeof sourceEntry>, 'ns' | 'name' | 'location' | 'digest' | 'revision'>

/**
 * Reads the rows of `source_entry` and `source_location`. Lookups of many ids are raw SQL, because Drizzle has no
 * `unnest`.
 */
export function sourceEntries(client: DrizzleClient): SourceEntries {
  return {
    locations: (source) =>
      client.run(
        (_, sql) => sql<LocationRecord[]>`
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
        (_, sql) => sql<RecordColumns[]>`
        SELECT e.ns, e.name, e.location, e.digest, e.revision
        FROM unnest(${ns}::text[], ${name}::text[]) AS wanted(ns, name)
        JOIN source_entry e ON e.source = ${source} AND e.ns = wanted.ns AND e.name = wanted.name`,
      )
      return new Map(rows.map((row) => [storedId(row.ns, row.name), recordOfColumns(row)]))
    },
    async entriesIn(source, locations) {
      const rows = await client.run(
        (_, sql) => sql<RecordColumns[]>`
        SELECT e.ns, e.name, e.location, e.digest, e.revision
        FROM unnest(${[...locations]}::text[]) AS wanted(location)
        JOIN source_entry e ON e.source = ${source} AND md5(e.location) = md5(wanted.location) AND e.location = wanted.location`,
      )
      return rows.map(recordOfColumns)
    },
    async owners(ids) {
      const { ns, name } = idColumns(ids)
      const rows = await client.run(
        (_, sql) => sql<Pick<StoredRow<typeof sourceEntry>, 'ns' | 'name' | 'source'>[]>`
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
        (_, sql) => sql<Pick<RecordColumns, 'ns' | 'name'>[]>`
        SELECT wanted.ns, wanted.name
        FROM unnest(${ns}::text[], ${name}::text[], ${revisions}::bigint[]) AS wanted(ns, name, revision)
        WHERE EXISTS (
          SELECT 1 FROM change c WHERE c.ns = wanted.ns AND c.name = wanted.name
            AND c.revision > wanted.revision AND c.operation IN ('delete', 'replace')
        )`,
      )
      return new Set(rows.map((row) => storedId(row.ns, row.name)))
    },

    async ownedPage(source, page) {
      const direction = page.fromEnd ? desc : asc
      const rows = await client.run((database) =>
        database
          .select({ ns: sourceEntry.ns, name: sourceEntry.name })
          .from(sourceEntry)
          .innerJoin(head, IS_AT_HEAD)
          .where(
            and(
              isOwnedBy(source),
              page.after === null ? undefined : gt(ID, idRow(page.after)),
              page.before === null ? undefined : lt(ID, idRow(page.before)),
            ),
          )
          .orderBy(direction(sourceEntry.ns), direction(sourceEntry.name))
          .limit(page.limit + 1),
      )
      return cutPage(
        rows.map((row) => storedId(row.ns, row.name)),
        page,
      )
    },
    async ownedCount(source) {
      const [row] = await client.run((database) =>
        database.select({ count: count() }).from(sourceEntry).innerJoin(head, IS_AT_HEAD).where(isOwnedBy(source)),
      )
      return row!.count
    },
  }
}

const IS_AT_HEAD = and(eq(head.ns, sourceEntry.ns), eq(head.name, sourceEntry.name))
const ID = sql`(${sourceEntry.ns}, ${sourceEntry.name})`

function idRow(id: EntryId): SQL {
  const { ns, name } = entryIdParts(id)
  return sql`(${ns}, ${name})`
}

function isOwnedBy(source: string): SQL | undefined {
  return and(eq(sourceEntry.source, source), isNotNull(sourceEntry.revision))
}

function recordOfColumns({ ns, name, location, digest, revision }: RecordColumns): EntryRecord {
  return { id: storedId(ns, name), location, digest, revision }
}
