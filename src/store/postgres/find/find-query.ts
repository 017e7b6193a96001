import type { Criteria } from '../../../core/criteria/criteria.js'
import type { EntryOrder, EntryPosition, Page, ReadAt } from '../../contract/history-reader.js'
import { compactedError } from '../../planning/compacted-errors.js'
import { uncompactedRows, type WithOldestRevision } from '../base/compaction-guard.js'
import {
  contentColumns,
  type EntryColumns,
  entryColumns,
  entryOfColumns,
  isLatestChange,
  latestChange,
} from '../base/entry-row.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { boundedRows } from '../read/bounded-rows.js'
import { readSnapshotPage } from '../read/read-snapshot-page.js'
import type { CommonCriteria } from './common-criteria.js'
import { BY_REVISION, boundsOf, DESCENDING, orderOf } from './page-order.js'
import { selectsByMeta } from './selects-by-meta.js'
import { selectsByTrigram } from './selects-by-trigram.js'
import { translateCriteria } from './translate-criteria.js'

export interface FindClients {
  readonly client: RetryingClient
  /** Sessions with the settings PLANNED_IN_ORDER, for pages of all entries by id. Their statement is always the same. */
  readonly pages: RetryingClient
  /** Sessions with the settings LOOKED_UP. */
  readonly lookups: RetryingClient
  readonly common: CommonCriteria
}

/**
 * @bound Rows that a find looks up by the index of meta before it reads a page. They are sorted then, which takes about
 * 5 ms for 2,000. If more match, a walk in the page's order finds enough of them soon.
 */
const MAX_LOOKED_UP = 2_000
/**
 * Session settings for looking up rows by the index of meta. Among 100,000 entries, the planner walked them all for one
 * that matched, in 150 to 300 ms instead of 2: without statistics, with those of a smaller table, or if a sampled entry
 * happened to match. Its choice must not depend on them.
 */
export const LOOKED_UP = { enable_seqscan: 'off', enable_incremental_sort: 'off' } as const

/**
 * @bound Changes after a revision up to which its pages by revision are read from the head. Looking up so many takes 35
 * ms.
 */
const RECENT_CHANGES = 5_000

/** Rows with the alias `h`, and the conditions that make them those of one state. */
interface StateRows {
  readonly text: string
  readonly conditions: readonly string[]
}

/** The statements of one find. Tests run `EXPLAIN` on them. */
export class FindQuery {
  readonly exact: boolean
  readonly #criteria: Criteria
  readonly #text: string
  readonly #params: readonly unknown[]

  constructor(criteria: Criteria) {
    const fragment = translateCriteria(
      criteria,
      { ns: 'h.ns', name: 'h.name', kind: 'h.kind', meta: 'h.meta_index' },
      1,
    )
    this.#criteria = criteria
    this.exact = fragment.exact
    this.#text = fragment.text
    this.#params = fragment.params
  }

  async read(clients: FindClients, order: EntryOrder, page: Page<EntryPosition>, limit: number, at: ReadAt) {
    const { client, pages } = clients
    const found = await this.#lookUp(clients, order, page, limit, at)
    if (found !== null) return found
    if (this.#isEverything && !BY_REVISION[order] && at !== 'head') {
      return {
        rows: (await readSnapshotPage(pages, page, DESCENDING[order], limit, at)).map(entryOfColumns),
        revision: at,
      }
    }
    const isRecent = at !== 'head' && BY_REVISION[order] && (await hasFewChangesSince(client, at))
    const { text, params } = this.statement(order, page, limit, at, isRecent)
    type Row = WithOldestRevision<EntryColumns> & { read_at: number }
    const usual = this.#isEverything && !BY_REVISION[order] ? pages : client
    const rows = await usual.run((sql) =>
      boundedRows(sql.unsafe<Row[]>(text, params as never[], { prepare: this.#isEverything })),
    )
    const revision = at === 'head' ? rows[0]!.read_at : at
    return { rows: uncompactedRows(rows, revision).map(entryOfColumns), revision }
  }

  /** Reads a page of at most `MAX_LOOKED_UP` matches; null if there are more, or no index can look them up. */
  async #lookUp(
    { lookups, common }: FindClients,
    order: EntryOrder,
    page: Page<EntryPosition>,
    limit: number,
    at: ReadAt,
  ) {
    if (!this.isLookedUp) return null
    const key = JSON.stringify([at === 'head', this.#text, this.#params])
    if (common.has(key)) return null
    type Row = WithOldestRevision<EntryColumns> & { readonly read_at: number; readonly found: number }
    const { text, params } = this.lookup(order, page, limit, at)
    const rows = await lookups.run((sql) => boundedRows(sql.unsafe<Row[]>(text, params as never[])))
    const revision = at === 'head' ? rows[0]!.read_at : at
    const entries = uncompactedRows(rows, revision).map(entryOfColumns)
    if (rows[0]!.found <= MAX_LOOKED_UP) return { rows: entries, revision }
    common.add(key)
    return null
  }

  /** Whether `lookup` can serve these criteria. A text within names is looked up by its own index. */
  get isLookedUp(): boolean {
    return selectsByMeta(this.#criteria) && !selectsByTrigram(this.#criteria)
  }

  /**
   * The statement that looks up matches first and then reads the page. Each part can be planned in one way, so estimates
   * of the number of matches do not matter.
   */
  lookup(order: EntryOrder, page: Page<EntryPosition>, limit: number, at: ReadAt): { text: string; params: unknown[] } {
    const params = [...this.#params]
    const add = (value: unknown) => `$${params.push(value)}`
    const revision = at === 'head' ? '' : `${add(at)}::bigint`
    const candidates =
      at === 'head'
        ? `head h WHERE (${this.#text})`
        : // The sum is not indexed: `change_revision` would read all rows up to the revision.
          `change h WHERE h.revision + 0 <= ${revision} AND h.operation <> 'delete' AND (${this.#text})`
    const content =
      at === 'head'
        ? `CROSS JOIN LATERAL (SELECT * FROM head h WHERE (h.ns, h.name) <= (f.ns, f.name)
            ORDER BY h.ns DESC, h.name DESC LIMIT 1) h`
        : `JOIN LATERAL (${latestChange('f', revision)}) h ON h.revision = f.revision`
    const conditions = [`(SELECT count(*) FROM found) <= ${MAX_LOOKED_UP}`, ...boundsOf('f', order, page, add)]
    const text = `
      WITH found AS MATERIALIZED (SELECT h.ns, h.name, h.revision FROM ${candidates} LIMIT ${MAX_LOOKED_UP + 1})
      SELECT p.revision AS read_at, p.oldest_revision AS oldest, (SELECT count(*) FROM found) AS found, h.*
      FROM head_pointer p LEFT JOIN LATERAL (
        SELECT ${entryColumns('h')} FROM found f ${content} WHERE ${conditions.join(' AND ')}
        ${orderOf('f', order, page)} LIMIT ${add(limit)}::int
      ) h ON true ${orderOf('h', order, page)}`
    return { text, params }
  }

  statement(
    order: EntryOrder,
    page: Page<EntryPosition>,
    limit: number,
    at: ReadAt,
    isRecent = false,
  ): { text: string; params: unknown[] } {
    const params = [...this.#params]
    const add = (value: unknown) => `$${params.push(value)}`
    const conditions = [`(${this.#text})`, ...boundsOf('h', order, page, add)]
    const ordered = orderOf('h', order, page)
    const limited = `${ordered} LIMIT ${add(limit)}::int`
    const rowsOf = (from: StateRows) =>
      `SELECT ${entryColumns('h')} FROM ${from.text} WHERE ${[...from.conditions, ...conditions].join(' AND ')} ${limited}`
    const rows =
      isRecent && at !== 'head'
        ? `SELECT * FROM (${this.#recent(at, add)
            .map((from) => `(${rowsOf(from)})`)
            .join(' UNION ALL ')}) h ${limited}`
        : rowsOf(this.#from(at, add, BY_REVISION[order]))
    const text = `
      SELECT p.revision AS read_at, p.oldest_revision AS oldest, h.* FROM head_pointer p
      LEFT JOIN LATERAL (${rows}) h ON true ${ordered}`
    return { text, params }
  }

  async count(client: RetryingClient, at: ReadAt): Promise<number> {
    const params = [...this.#params]
    const from = this.#from(at, (value) => `$${params.push(value)}`, false)
    const where = [...from.conditions, `(${this.#text})`].join(' AND ')
    const text = `SELECT count(*) AS count, (SELECT oldest_revision FROM head_pointer) AS oldest FROM ${from.text} WHERE ${where}`
    const [row] = await client.run((sql) => sql.unsafe<{ count: number; oldest: number }[]>(text, params as never[]))
    if (at !== 'head' && at < row!.oldest) throw compactedError(at, row!.oldest)
    return row!.count
  }

  /** Only the statement for all entries is prepared: clients can send any number of other shapes. */
  get #isEverything(): boolean {
    return 'all' in this.#criteria && this.#criteria.all.length === 0
  }

  /** The rows of a state after which little has changed: the unchanged ones from the head, and the others from the log. */
  #recent(at: number, add: (value: unknown) => string): readonly StateRows[] {
    const revision = `${add(at)}::bigint`
    const changed = `SELECT DISTINCT c.ns, c.name FROM change c WHERE c.revision > ${revision}`
    return [
      { text: this.#named('head'), conditions: [`h.revision <= ${revision}`] },
      {
        text: `(${changed}) e CROSS JOIN LATERAL (${latestChange('e', revision)}) h`,
        conditions: [`h.operation <> 'delete'`],
      },
    ]
  }

  #named(table: string): string {
    return selectsByTrigram(this.#criteria) ? byNames(table) : `${table} h`
  }

  /**
   * The rows of a state, with the alias `h`. There are two ways to read an old state. One goes through the ids with one
   * index lookup each. The other reads the log by its own indexes and drops superseded rows. It is faster if the
   * criteria select by kind or meta. Only `entry_name` has a trigram index, because on `change` every change would
   * write to it again. If that index can be used, the ids come from `entry_name`.
   */
  #from(at: ReadAt, add: (value: unknown) => string, byRevision: boolean): StateRows {
    if (at === 'head') return { text: this.#named('head'), conditions: [] }
    const revision = `${add(at)}::bigint`
    if (!byRevision && !selectsByContent(this.#criteria)) {
      const text = `(SELECT e.ns, e.name, l.operation, ${contentColumns('l')}, l.meta_index
        FROM entry_name e CROSS JOIN LATERAL (${latestChange('e', revision)}) l) h`
      return { text, conditions: [`h.operation <> 'delete'`] }
    }
    return {
      text: this.#named('change'),
      conditions: [`h.revision <= ${revision}`, `h.operation <> 'delete'`, isLatestChange('h', revision)],
    }
  }
}

/**
 * Whether so little has changed since a revision that its state is best read from the head. From the log, a page by
 * revision sorts all changes of a revision. If that created 100,000 entries, a page takes 100 to 200 ms instead of 2 to 10.
 */
async function hasFewChangesSince(client: RetryingClient, revision: number): Promise<boolean> {
  const [row] = await client.run(
    (sql) => sql<{ changes: number }[]>`
      SELECT count(*) AS changes FROM (SELECT FROM change WHERE revision > ${revision} LIMIT ${RECENT_CHANGES + 1}) c`,
  )
  return row!.changes <= RECENT_CHANGES
}

/** The rows of `head` or `change` joined to `entry_name`, so that the conditions apply to its columns. */
function byNames(table: string): string {
  const rest = table === 'head' ? '' : ', c.operation'
  return `(SELECT e.ns, e.name${rest}, ${contentColumns('c')}, c.meta_index
    FROM entry_name e JOIN ${table} c ON c.ns = e.ns AND c.name = e.name) h`
}

/** Whether every match must meet a condition on kind or meta, for which the log has indexes. */
function selectsByContent(criteria: Criteria): boolean {
  if ('all' in criteria) return criteria.all.some(selectsByContent)
  if ('any' in criteria) return criteria.any.length > 0 && criteria.any.every(selectsByContent)
  if ('not' in criteria) return false
  return 'meta' in criteria.field || criteria.field.root === 'kind'
}
