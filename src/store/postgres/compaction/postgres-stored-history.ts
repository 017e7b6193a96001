import { runAtOnce } from '../../../core/algorithms/steps.js'
import type { ExtractReferences } from '../../../core/dependency/reference.js'
import { type EntryId, entryIdParts } from '../../../core/entry/entry-id.js'
import type { Json } from '../../../core/entry/json.js'
import type { StoredHistory, StoredVersion } from '../../verify/stored-history.js'
import {
  type ChangeColumns,
  changeColumns,
  changeRowOfColumns,
  contentColumns,
  type EntryColumns,
  entryColumns,
  entryOfColumns,
  latestChange,
  storedId,
} from '../base/entry-row.js'
import {
  type BaselineColumns,
  baselineColumns,
  type HeadPointerColumns,
  headPointerColumns,
  type StoredTransitionColumns,
  storedTransitionColumns,
  type TagColumns,
  tagColumns,
  tagOfColumns,
  transitionOfColumns,
  type VersionColumns,
  versionColumns,
} from '../base/history-columns.js'
import { type Sql, withClient } from '../base/open-pool.js'
import { type ReferenceColumns, referenceColumns, referenceRows, textOfReference } from '../base/reference-row.js'

/** @bound Rows of a stored history that are in memory at a time while it is verified. */
const ROWS_AT_ONCE = 1_000

/**
 * Streams the stored rows. `sql` is one transaction at REPEATABLE READ, so all rows are of one state while others write.
 * A connection has one stream at a time.
 */
function postgresStoredHistory(sql: Sql, references: ExtractReferences): StoredHistory {
  return {
    async *versions() {
      type Row = VersionColumns & Pick<StoredVersion, 'state'> & { readonly has_changeset: boolean }
      const columns = `${versionColumns('v')}, v.state, v.changeset IS NOT NULL AS has_changeset`
      for await (const rows of stream<Row>(sql, `SELECT ${columns} FROM version v ORDER BY v.number`)) {
        for (const { has_changeset: hasChangeset, ...row } of rows) yield { ...row, hasChangeset }
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
      type Row = StoredTransitionColumns
      // Read in pages: the rows of `change` are read at the same time on the same connection.
      let after = 0
      for (;;) {
        const rows: Row[] = await sql<
          Row[]
        >`SELECT ${sql.unsafe(storedTransitionColumns('t'))} FROM transition t WHERE t.revision > ${after} ORDER BY t.revision LIMIT ${ROWS_AT_ONCE}`
        for (const row of rows) {
          yield {
            ...transitionOfColumns(row),
            entryCount: row.entryCount,
            digest: row.digest,
            requestId: row.requestId,
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
          SELECT ${sql.unsafe(changeColumns('c'))}, c.meta_index FROM change c WHERE (c.revision, c.ns, c.name) > (${after[0]}, ${after[1]}, ${after[2]})
          ORDER BY c.revision, c.ns, c.name LIMIT ${ROWS_AT_ONCE}`
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
          SELECT e.ns, e.name, ${sql.unsafe(contentColumns('h'))}
          FROM (SELECT ns, name FROM entry_name WHERE (ns, name) > (${ns}, ${name}) ORDER BY ns, name LIMIT ${ROWS_AT_ONCE}) e
          LEFT JOIN LATERAL (${sql.unsafe(latestChange('e', String(revision)))}) h ON true ORDER BY e.ns, e.name`
        // An entry that was deleted or created later has only a name.
        for (const row of rows) if ((row.kind as string | null) !== null) yield entryOfColumns(row)
        if (rows.length < ROWS_AT_ONCE) return
        after = storedId(rows.at(-1)!.ns, rows.at(-1)!.name)
      }
    },
    async baseline() {
      const [row] = await sql<BaselineColumns[]>`SELECT ${sql.unsafe(baselineColumns('b'))} FROM baseline b`
      return row ?? null
    },
    async *head() {
      type Row = EntryColumns & { meta_index: Json }
      for await (const rows of stream<Row>(
        sql,
        `SELECT ${entryColumns('h')}, h.meta_index FROM head h ORDER BY h.ns, h.name`,
      )) {
        for (const row of rows) yield { entry: entryOfColumns(row), metaIndex: row.meta_index }
      }
    },
    async pointer() {
      const [row] = await sql<HeadPointerColumns[]>`SELECT ${sql.unsafe(headPointerColumns('p'))} FROM head_pointer p`
      const { revision, version, lastVersion, versionDigest, transitionDigest, entryCount, tagSum, oldestRevision } =
        row!
      return {
        head: { revision, version },
        lastVersion,
        versionDigest,
        transitionDigest,
        entryCount,
        tagSum,
        oldestRevision,
      }
    },
    async *tags() {
      for await (const rows of stream<TagColumns>(sql, `SELECT ${tagColumns('t')} FROM tag t ORDER BY t.name`)) {
        for (const row of rows) yield { tag: tagOfColumns(row), digest: row.digest }
      }
    },
    async *names() {
      for await (const rows of stream<{ ns: string; name: string }>(sql, 'SELECT ns, name FROM entry_name')) {
        for (const { ns, name } of rows) yield storedId(ns, name)
      }
    },
    referenceIndex: {
      async *rows() {
        for await (const rows of stream<ReferenceColumns>(sql, `SELECT ${referenceColumns('r')} FROM reference r`))
          yield* rows.map(textOfReference)
      },
      rowsOf: ({ id, content }) => runAtOnce(referenceRows(id, references(id, content))).map(textOfReference),
    },
  }
}

/** Reads all of history as one state, on a connection of its own, while others write. */
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

function stream<Row extends object>(sql: Sql, text: string): AsyncIterable<Row[]> {
  return sql.unsafe<Row[]>(text).cursor(ROWS_AT_ONCE) as AsyncIterable<Row[]>
}
