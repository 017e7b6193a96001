import type { Criteria } from '../../../core/criteria/criteria.js'
import { entryIdParts } from '../../../core/entry/entry-id.js'
import type { EntryOrder, EntryPosition, Page, ReadAt } from '../../contract/history-reader.js'
import { compactedError } from '../../planning/compacted-errors.js'
import { uncompactedRows, type WithOldestRevision } from '../base/compaction-guard.js'
import { contentColumns, type EntryColumns, entryColumns, entryOfColumns } from '../base/entry-row.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { readSnapshotPage } from '../read/read-snapshot-page.js'
import { selectsByTrigram } from './selects-by-trigram.js'
import { translateCriteria } from './translate-criteria.js'

export interface FindClients {
  readonly client: RetryingClient
  /** Sessions with the settings PLANNED_IN_ORDER, for pages of all entries by id. Their statement is always the same. */
  readonly pages: RetryingClient
}

const DESCENDING: Readonly<Record<EntryOrder, boolean>> = {
  ID_ASC: false,
  ID_DESC: true,
  REVISION_ASC: false,
  REVISION_DESC: true,
}
const BY_REVISION: Readonly<Record<EntryOrder, boolean>> = {
  ID_ASC: false,
  ID_DESC: false,
  REVISION_ASC: true,
  REVISION_DESC: true,
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

  async read({ client, pages }: FindClients, order: EntryOrder, page: Page<EntryPosition>, limit: number, at: ReadAt) {
    if (this.#isEverything && !BY_REVISION[order] && at !== 'head') {
      return {
        rows: (await readSnapshotPage(pages, page, DESCENDING[order], limit, at)).map(entryOfColumns),
        revision: at,
      }
    }
    const { text, params } = this.statement(order, page, limit, at)
    type Row = WithOldestRevision<EntryColumns> & { read_at: number }
    const usual = this.#isEverything && !BY_REVISION[order] ? pages : client
    const rows = await usual.run((sql) => sql.unsafe<Row[]>(text, params as never[], { prepare: this.#isEverything }))
    const revision = at === 'head' ? rows[0]!.read_at : at
    return { rows: uncompactedRows(rows, revision).map(entryOfColumns), revision }
  }

  statement(
    order: EntryOrder,
    page: Page<EntryPosition>,
    limit: number,
    at: ReadAt,
  ): { text: string; params: unknown[] } {
    const params = [...this.#params]
    const add = (value: unknown) => `$${params.push(value)}`
    const columns = BY_REVISION[order] ? ['h.revision', 'h.ns', 'h.name'] : ['h.ns', 'h.name']
    const types = BY_REVISION[order] ? ['bigint', 'text', 'text'] : ['text', 'text']
    const bound = (operator: string, position: EntryPosition) => {
      const { ns, name } = entryIdParts(position.id)
      const values = BY_REVISION[order] ? [position.revision, ns, name] : [ns, name]
      return `(${columns.join(', ')}) ${operator} (${values.map((value, i) => `${add(value)}::${types[i]}`).join(', ')})`
    }
    const conditions = [`(${this.#text})`]
    if (page.after !== null) conditions.push(bound(DESCENDING[order] ? '<' : '>', page.after))
    if (page.before !== null) conditions.push(bound(DESCENDING[order] ? '>' : '<', page.before))
    const direction = DESCENDING[order] === page.fromEnd ? 'ASC' : 'DESC'
    const from = this.#from(at, add, BY_REVISION[order])
    const text = `
      SELECT p.revision AS read_at, p.oldest_revision AS oldest, h.* FROM head_pointer p LEFT JOIN LATERAL (
        SELECT ${entryColumns('h')} FROM ${from.text} WHERE ${[...from.conditions, ...conditions].join(' AND ')}
        ORDER BY ${columns.map((column) => `${column} ${direction}`).join(', ')} LIMIT ${add(limit)}::int
      ) h ON true
      ORDER BY ${columns.map((column) => `${column} ${direction}`).join(', ')}`
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

  /**
   * The rows of a state, with the alias `h`. There are two ways to read an old state. One goes through the ids with one
   * index lookup each. The other reads the log by its own indexes and drops superseded rows. It is faster if the
   * criteria select by kind or meta. Only `entry_name` has a trigram index, because on `change` every change would
   * write to it again. If that index can be used, the ids come from `entry_name`.
   */
  #from(at: ReadAt, add: (value: unknown) => string, byRevision: boolean): { text: string; conditions: string[] } {
    const named = (table: string) => (selectsByTrigram(this.#criteria) ? byNames(table) : `${table} h`)
    if (at === 'head') return { text: named('head'), conditions: [] }
    const revision = `${add(at)}::bigint`
    if (!byRevision && !selectsByContent(this.#criteria)) {
      const last = `SELECT c.* FROM change c WHERE c.ns = e.ns AND c.name = e.name AND c.revision <= ${revision}
        ORDER BY c.revision DESC LIMIT 1`
      const text = `(SELECT e.ns, e.name, l.operation, ${contentColumns('l')}, l.meta_index
        FROM entry_name e CROSS JOIN LATERAL (${last}) l) h`
      return { text, conditions: [`h.operation <> 'delete'`] }
    }
    const superseded = `EXISTS (SELECT 1 FROM change n WHERE n.ns = h.ns AND n.name = h.name
      AND n.revision > h.revision AND n.revision <= ${revision})`
    return {
      text: named('change'),
      conditions: [`h.revision <= ${revision}`, `h.operation <> 'delete'`, `NOT ${superseded}`],
    }
  }
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
