import type { Change } from '../../../core/history/change.js'
import type { Head, Transition } from '../../../core/history/version.js'
import type { HistoryOptions } from '../../contract/history.js'
import type { HistoryReader, LogPosition, Page } from '../../contract/history-reader.js'
import { byPosition, changesOfRow } from '../../planning/change-row.js'
import { logCompactedError } from '../../planning/compacted-errors.js'
import { presentRows, type WithOldestRevision, withOldestRevision } from '../base/compaction-guard.js'
import {
  type ChangeColumns,
  type ContentColumns,
  changeColumns,
  changeRowOfColumns,
  contentColumns,
  entryOfPrefixed,
} from '../base/entry-row.js'
import { type TransitionColumns, transitionColumns, transitionOfColumns } from '../base/history-columns.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { cutPage } from './cut-page.js'
import { readDelta } from './read-differences.js'

type LogReads = Pick<HistoryReader, 'changesOf' | 'namespaceChanges' | 'namespaceChangeCount' | 'log' | 'delta'>

type PlacedRow = ChangeColumns & { readonly place: number } & ContentColumns<'p_'>

const PLACED_COLUMNS = `${changeColumns('h')}, h.place, ${contentColumns('p', 'p_')}`
/** Joins the entry's previous content: the row that `previous_revision` names. */
const JOIN_PREVIOUS = 'LEFT JOIN change p ON p.ns = h.ns AND p.name = h.name AND p.revision = h.previous_revision'

/** The change at the place for which a row was read. The row of a replacement has two changes. */
function changeAtPlace(row: PlacedRow): Change {
  const changes = changesOfRow(changeRowOfColumns(row), entryOfPrefixed(row, 'p_'))
  return changes.find(({ position }) => position === row.place)!
}

/** Reads the log in order. Raw SQL, because followers wait for it and it reads two indexes in one order. */
export function readLog(client: RetryingClient, options: HistoryOptions): LogReads {
  return {
    async changesOf(revisions, page: Page<number>) {
      const direction = page.fromEnd ? 'DESC' : 'ASC'
      const places = (column: 'position' | 'delete_position') => `(
        SELECT c.*, c.${column} AS place FROM change c
        WHERE c.revision = wanted.revision AND c.${column} > $2::int AND c.${column} < $3::int
        ORDER BY c.${column} ${direction} LIMIT $4::int)`
      const text = withOldestRevision(`
        SELECT ${PLACED_COLUMNS}
        FROM unnest($1::bigint[]) AS wanted(revision)
        CROSS JOIN LATERAL (${places('position')} UNION ALL ${places('delete_position')} ORDER BY place ${direction} LIMIT $4::int) h
        ${JOIN_PREVIOUS} WHERE wanted.revision >= pointer.oldest_revision`)
      const params = [revisions, page.after ?? -1, page.before ?? 2 ** 31 - 1, page.limit + 1]
      const rows = await client.run((sql) =>
        sql.unsafe<WithOldestRevision<PlacedRow>[]>(text, params as never[], { prepare: true }),
      )
      const oldest = rows[0]?.oldest ?? 0
      const found = new Map<number, Change[]>(
        revisions.filter((revision) => revision >= oldest).map((revision) => [revision, []]),
      )
      for (const row of presentRows(rows)) found.get(row.revision)!.push(changeAtPlace(row))
      const inOrder = (changes: Change[]) =>
        changes.sort((a, b) => (page.fromEnd ? byPosition(b, a) : byPosition(a, b)))
      return new Map([...found].map(([revision, changes]) => [revision, cutPage(inOrder(changes), page)]))
    },

    async namespaceChanges(namespace, page) {
      // The list is in descending order, so the items after a position are older.
      const direction = page.fromEnd ? 'ASC' : 'DESC'
      const [older, newer] = [page.after ?? AFTER_ALL, page.before ?? BEFORE_ALL]
      const places = (column: 'position' | 'delete_position') => `(
        SELECT c.*, c.${column} AS place FROM change c
        WHERE c.ns = $1::text AND c.${column} IS NOT NULL AND c.revision >= (SELECT oldest_revision FROM head_pointer)
          AND (c.revision, c.${column}) < ($2::bigint, $3::int) AND (c.revision, c.${column}) > ($4::bigint, $5::int)
        ORDER BY c.revision ${direction}, c.${column} ${direction} LIMIT $6::int)`
      const text = `
        SELECT ${PLACED_COLUMNS} FROM (
          ${places('position')} UNION ALL ${places('delete_position')} ORDER BY revision ${direction}, place ${direction} LIMIT $6::int
        ) h ${JOIN_PREVIOUS}`
      const params = [namespace, older.revision, older.position, newer.revision, newer.position, page.limit + 1]
      const rows = await client.run((sql) => sql.unsafe<PlacedRow[]>(text, params as never[], { prepare: true }))
      return cutPage(
        rows.map(changeAtPlace).sort((a, b) => (page.fromEnd ? byPosition(a, b) : byPosition(b, a))),
        page,
      )
    },

    async namespaceChangeCount(namespace) {
      const [row] = await client.run(
        (sql) => sql<{ count: number }[]>`
        SELECT count(*) + count(delete_position) AS count FROM change
        WHERE ns = ${namespace} AND revision >= (SELECT oldest_revision FROM head_pointer)`,
      )
      return row!.count
    },

    async log(after, limit) {
      const params = [
        after.revision,
        Math.min(after.position, 2 ** 31 - 1),
        after.position === Infinity ? after.revision + 1 : after.revision,
        limit,
      ]
      const found = await client.run((sql) => sql.unsafe<LogRow[]>(LOG_AFTER, params as never[], { prepare: true }))
      const { oldest, head_revision, head_version, transitions } = found[0]!
      if (after.revision < oldest) throw logCompactedError(after.revision, oldest)
      const head = { revision: head_revision, version: head_version }
      if (transitions === null) return { transitions: [], changes: [], upTo: after, head }
      const rows = presentRows(found)
      const changes = rows.map(changeAtPlace).sort(byPosition)
      const isFull = changes.length === limit || rows.length < (rows[0]?.offered ?? 0)
      const parsed = transitions.map((row) => transitionOfColumns({ ...row, createdAt: new Date(row.createdAt) }))
      return logPage(parsed, changes, parsed.at(-1)!.revision, isFull, head)
    },

    delta: (from, to) => readDelta(client, from, to, options.references),
  }
}

const AFTER_ALL: LogPosition = { revision: Number.MAX_SAFE_INTEGER, position: 0 }
const BEFORE_ALL: LogPosition = { revision: -1, position: 0 }

/**
 * @bound Size of a page of the log. A caller can only limit the number of changes, and a change may have 300 bytes or 2
 * MiB. Each subscriber that has stopped reading holds one page. Postgres stores the lengths, so it reads no content to
 * measure a page.
 */
const LOG_PAGE_BYTES = 1024 * 1024

type LogRow = PlacedRow & {
  readonly oldest: number
  readonly head_revision: number
  readonly head_version: number
  /** In the first row, the transitions after the position, up to the head; null if there are none. */
  readonly transitions: readonly (Omit<TransitionColumns, 'createdAt'> & { readonly createdAt: string })[] | null
  /** The number of changes found, including those that exceed the page's size. */
  readonly offered: number
}

const BYTES = ['h.meta', 'h.data', 'p.meta', 'p.data']
  .map((column) => `coalesce(octet_length(${column}), 0)`)
  .join(' + ')

/**
 * The changes after a position of the log, ordered by (revision, place): at least one, then as many as fit. Each row also
 * has the head. It is one statement, so it takes one round trip and sees one snapshot.
 */
const LOG_AFTER = `
  SELECT pointer.oldest_revision AS oldest, pointer.revision AS head_revision, pointer.version AS head_version, page.*,
    CASE WHEN row_number() OVER (ORDER BY page.revision, page.place) = 1 THEN (
      SELECT json_agg(t) FROM (
        SELECT ${transitionColumns('t')} FROM transition t
        WHERE t.revision >= $3::bigint AND t.revision <= pointer.revision ORDER BY t.revision LIMIT $4::int) t
    ) END AS transitions
  FROM head_pointer pointer LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT ${PLACED_COLUMNS}, count(*) OVER () AS offered,
        sum(${BYTES}) OVER (ORDER BY h.revision, h.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
      FROM (
        (SELECT c.*, c.position AS place FROM change c
          WHERE (c.revision, c.position) > ($1::bigint, $2::int) AND c.revision <= pointer.revision
          ORDER BY c.revision, c.position LIMIT $4::int)
        UNION ALL
        (SELECT c.*, c.delete_position AS place FROM change c
          WHERE c.delete_position IS NOT NULL AND (c.revision, c.delete_position) > ($1::bigint, $2::int) AND c.revision <= pointer.revision
          ORDER BY c.revision, c.delete_position LIMIT $4::int)
        ORDER BY revision, place LIMIT $4::int
      ) h ${JOIN_PREVIOUS}
    ) measured WHERE coalesce(bytes_before, 0) < ${LOG_PAGE_BYTES}
  ) page ON true
  ORDER BY page.revision, page.place`

function logPage(transitions: Transition[], changes: Change[], lastTransition: number, isFull: boolean, head: Head) {
  const last = changes.at(-1)
  // A page cut by its changes may end within a revision. A page cut by its transitions ends with one.
  const isCut = isFull && last !== undefined && last.revision <= lastTransition
  const upTo: LogPosition = isCut ? placeAfter(last, transitions) : { revision: lastTransition, position: Infinity }
  return {
    transitions: transitions.filter(({ revision }) => revision <= upTo.revision),
    changes: changes.filter(({ revision }) => revision <= upTo.revision),
    upTo,
    head,
  }
}

function placeAfter({ revision, position }: Change, transitions: readonly Transition[]): LogPosition {
  const isLast = transitions.find((transition) => transition.revision === revision)?.changeCount === position + 1
  return { revision, position: isLast ? Infinity : position }
}
