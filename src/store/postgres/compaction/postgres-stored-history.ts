import type { ExtractReferences } from '../../../core/dependency/reference.js'
import { type EntryId, entryIdParts } from '../../../core/entry/entry-id.js'
import type { Json } from '../../../core/entry/json.js'
import type { StoredHistory } from '../../verify/stored-history.js'
import {
  type ChangeColumns,
  changeRowOfColumns,
  type EntryColumns,
  entryOfColumns,
  storedId,
} from '../base/entry-row.js'
import { type ReferenceColumns, referenceRows } from '../base/reference-row.js'
import type { Sql } from '../base/retrying-client.js'
import type { RowOf } from '../base/row-of.js'
import type { tag } from '../base/tables.js'
import { withClient } from '../base/with-client.js'
import type { PointerColumns } from '../commit/read-commit-state.js'
import { type TransitionColumns, transitionOfColumns } from '../read/read-log.js'

const ROWS_AT_ONCE = 1_000

interface VersionColumns {
  readonly number: number
  readonly parent: number | null
  readonly revision: number
  readonly author: string | null
  readonly message: string | null
  readonly created_at: Date
  readonly digest: string
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly state: string | null
  readonly has_changeset: boolean
}

/**
 * The stored rows, streamed. `sql` is one transaction at REPEATABLE READ, so that all of it is one state
 * while others go on writing; a stream at a time, since a connection has one.
 */
export function postgresStoredHistory(sql: Sql, references: ExtractReferences): StoredHistory {
  return {
    async *versions() {
      const columns = `number, parent, revision, author, message, created_at, digest, created, updated, deleted,
        state, changeset IS NOT NULL AS has_changeset`
      for await (const rows of stream<VersionColumns>(sql, `SELECT ${columns} FROM version ORDER BY number`)) {
        for (const { created_at: createdAt, has_changeset: hasChangeset, ...row } of rows)
          yield { ...row, createdAt, hasChangeset }
      }
    },
    async changesets(numbers) {
      const rows = await sql<{ number: number; changeset: Buffer | null }[]>`
        SELECT number, changeset FROM version WHERE number = ANY(${[...numbers]}::bigint[])`
      return new Map(
        rows.flatMap(({ number, changeset }) => (changeset === null ? [] : [[number, changeset] as const])),
      )
    },
    async *transitions() {
      type Row = TransitionColumns & { entry_count: number; digest: string; request_id: string }
      // Read in steps of their own: the rows of `change` are streamed at the same time on the same connection.
      let after = 0
      for (;;) {
        const rows: Row[] = await sql<
          Row[]
        >`SELECT * FROM transition WHERE revision > ${after} ORDER BY revision LIMIT ${ROWS_AT_ONCE}`
        for (const row of rows) {
          yield {
            ...transitionOfColumns(row),
            entryCount: row.entry_count,
            digest: row.digest,
            requestId: row.request_id,
          }
        }
        if (rows.length < ROWS_AT_ONCE) return
        after = rows.at(-1)!.revision
      }
    },
    async *changes() {
      type Row = ChangeColumns & { meta_index: Json }
      let after: [number, string, string] = [0, '', '']
      for (;;) {
        const rows: Row[] = await sql<Row[]>`
          SELECT * FROM change WHERE (revision, ns, name) > (${after[0]}, ${after[1]}, ${after[2]})
          ORDER BY revision, ns, name LIMIT ${ROWS_AT_ONCE}`
        for (const row of rows) yield { row: changeRowOfColumns(row), metaIndex: row.meta_index }
        if (rows.length < ROWS_AT_ONCE) return
        const last = rows.at(-1)!
        after = [last.revision, last.ns, last.name]
      }
    },
    async *stateAt(revision) {
      for (let after: EntryId | null = null; ; ) {
        const { ns, name } = after === null ? { ns: '', name: '' } : entryIdParts(after)
        const rows: EntryColumns[] = await sql<EntryColumns[]>`
          SELECT e.ns, e.name, h.kind, h.meta, h.data, h.digest, h.revision, h.version
          FROM (SELECT ns, name FROM entry_name WHERE (ns, name) > (${ns}, ${name}) ORDER BY ns, name LIMIT ${ROWS_AT_ONCE}) e
          LEFT JOIN LATERAL (
            SELECT c.* FROM change c WHERE c.ns = e.ns AND c.name = e.name AND c.revision <= ${revision} ORDER BY c.revision DESC LIMIT 1
          ) h ON true ORDER BY e.ns, e.name`
        // Of a deleted entry, and of one that came later, only the name is there.
        for (const row of rows) if ((row.kind as string | null) !== null) yield entryOfColumns(row)
        if (rows.length < ROWS_AT_ONCE) return
        after = storedId(rows.at(-1)!.ns, rows.at(-1)!.name)
      }
    },
    async baseline() {
      type Row = {
        revision: number
        versions_digest: string
        transitions_digest: string
        rows: string
        removed: boolean
      }
      const [row] = await sql<Row[]>`SELECT * FROM baseline`
      if (row === undefined) return null
      return {
        revision: row.revision,
        versionsDigest: row.versions_digest,
        transitionsDigest: row.transitions_digest,
        rows: row.rows,
        removed: row.removed,
      }
    },
    async *head() {
      type Row = EntryColumns & { meta_index: Json }
      for await (const rows of stream<Row>(sql, 'SELECT * FROM head ORDER BY ns, name')) {
        for (const row of rows) yield { entry: entryOfColumns(row), metaIndex: row.meta_index }
      }
    },
    async pointer() {
      const [row] = await sql<PointerColumns[]>`SELECT * FROM head_pointer`
      const {
        revision,
        version,
        last_version,
        version_digest,
        transition_digest,
        entry_count,
        tag_sum,
        oldest_revision,
      } = row!
      return {
        head: { revision, version },
        lastVersion: last_version,
        versionDigest: version_digest,
        transitionDigest: transition_digest,
        entryCount: entry_count,
        tagSum: tag_sum,
        oldestRevision: oldest_revision,
      }
    },
    async *tags() {
      for await (const rows of stream<RowOf<typeof tag>>(sql, 'SELECT * FROM tag ORDER BY name')) {
        for (const { digest, created_at: createdAt, ...columns } of rows)
          yield { tag: { ...columns, createdAt }, digest }
      }
    },
    async *names() {
      for await (const rows of stream<{ ns: string; name: string }>(sql, 'SELECT ns, name FROM entry_name')) {
        for (const { ns, name } of rows) yield storedId(ns, name)
      }
    },
    referenceIndex: {
      async *rows() {
        for await (const rows of stream<ReferenceColumns>(sql, 'SELECT * FROM reference'))
          yield* rows.map(textOfReference)
      },
      rowsOf: ({ id, content }) => referenceRows(id, references(id, content)).map(textOfReference),
    },
  }
}

/** Reads all of history as one state, on a connection of its own, while others go on writing. */
export function withStoredHistory<T>(
  databaseUrl: string,
  references: ExtractReferences,
  read: (stored: StoredHistory) => Promise<T>,
): Promise<T> {
  return withClient(
    databaseUrl,
    (direct) =>
      direct.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', (sql) =>
        read(postgresStoredHistory(sql as unknown as Sql, references)),
      ) as Promise<T>,
  )
}

function textOfReference(row: ReferenceColumns): string {
  const { ns, name, ordinal, path, reference, target_type, target_ns, target_name } = row
  return JSON.stringify([ns, name, ordinal, path, reference, target_type, target_ns, target_name])
}

function stream<Row extends object>(sql: Sql, text: string): AsyncIterable<Row[]> {
  return sql.unsafe<Row[]>(text).cursor(ROWS_AT_ONCE) as AsyncIterable<Row[]>
}
