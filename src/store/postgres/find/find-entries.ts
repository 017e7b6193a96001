import type { CompileRegex } from '../../../core/criteria/compiled-regex.js'
import type { Criteria } from '../../../core/criteria/criteria.js'
import { compileMatcher } from '../../../core/criteria/matcher.js'
import type { EntryRevision } from '../../../core/entry/entry.js'
import { entryIdParts } from '../../../core/entry/entry-id.js'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type {
  EntryOrder,
  EntryPage,
  EntryPosition,
  HistoryReader,
  Page,
  ReadAt,
} from '../../contract/history-reader.js'
import { compactedError } from '../../planning/compacted-errors.js'
import { uncompactedRows, type WithOldestRevision } from '../base/compaction-guard.js'
import { contentColumns, type EntryColumns, entryColumns, entryOfColumns } from '../base/entry-row.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { cutPage } from '../read/cut-page.js'
import { readSnapshotPage } from '../read/read-snapshot-page.js'
import { selectsByTrigram } from './selects-by-trigram.js'
import { translateCriteria } from './translate-criteria.js'

/** Rows read at once where SQL cannot decide and each is to be matched here. */
const CANDIDATES_AT_ONCE = 500

type FindReads = Pick<HistoryReader, 'findEntries' | 'countEntries'>

export interface FindClients {
  readonly client: RetryingClient
  /** Its sessions have the settings PLANNED_IN_ORDER: for pages of all entries by id, which are always asked for in the same words. */
  readonly pages: RetryingClient
}

/**
 * Finding. SQL gives every entry that may match; where it cannot say precisely (`exact: false`, regular
 * expressions above all) the core's matcher decides here, reading on until the page is full.
 */
export function findEntries(clients: FindClients, compileRegex: CompileRegex, timeoutMs: number): FindReads {
  const { client } = clients

  async function find(
    criteria: Criteria,
    order: EntryOrder,
    page: Page<EntryPosition>,
    at: ReadAt,
  ): Promise<EntryPage> {
    const query = new FindQuery(criteria)
    if (query.exact) {
      const { rows, revision } = await query.read(clients, order, page, page.limit + 1, at)
      return { ...cutPage(rows, page), revision }
    }
    // Read in several steps, so at a revision that stays: the head may move between them.
    return at === 'head'
      ? atStandingHead(client, (revision) => match(query, criteria, order, page, revision))
      : match(query, criteria, order, page, at)
  }

  async function match(
    query: FindQuery,
    criteria: Criteria,
    order: EntryOrder,
    page: Page<EntryPosition>,
    revision: number,
  ): Promise<EntryPage> {
    const matches = compileMatcher(criteria, compileRegex)
    const found: EntryRevision[] = []
    const deadline = performance.now() + timeoutMs
    let window = page
    for (;;) {
      const chunk = Math.max(page.limit + 1, CANDIDATES_AT_ONCE)
      const { rows } = await query.read(clients, order, window, chunk, revision)
      for (const row of rows) {
        // Matching one row may take long (a regular expression over a megabyte), so the clock is read at each.
        if (performance.now() > deadline) throw tooSlow()
        if (found.length <= page.limit && matches(row)) found.push(row)
      }
      if (rows.length < chunk || found.length > page.limit) return { ...cutPage(found, page), revision }
      const last = rows.at(-1)!
      const position = { id: last.id, revision: last.revision }
      window = page.fromEnd ? { ...window, before: position } : { ...window, after: position }
    }
  }

  async function count(criteria: Criteria, at: ReadAt): Promise<number> {
    const query = new FindQuery(criteria)
    if (query.exact) return query.count(client, at)
    return at === 'head'
      ? atStandingHead(client, (revision) => countMatches(criteria, revision))
      : countMatches(criteria, at)
  }

  async function countMatches(criteria: Criteria, revision: number): Promise<number> {
    const deadline = performance.now() + timeoutMs
    let total = 0
    let after: EntryPosition | null = null
    for (;;) {
      const page: Page<EntryPosition> = { limit: 1_000, after, before: null, fromEnd: false }
      const { items, hasMore } = await find(criteria, 'ID_ASC', page, revision)
      total += items.length
      if (!hasMore) return total
      if (performance.now() > deadline) throw tooSlow()
      after = items.at(-1)!
    }
  }

  return { findEntries: find, countEntries: count }
}

const TRIES = 3

/** Reads at what is the head's revision now; anew where that was compacted away meanwhile: who asks for the head names no revision. */
async function atStandingHead<Found>(
  client: RetryingClient,
  read: (revision: number) => Promise<Found>,
): Promise<Found> {
  for (let attempt = 1; ; attempt++) {
    const [row] = await client.run((sql) => sql<{ revision: number }[]>`SELECT revision FROM head_pointer`)
    try {
      return await read(row!.revision)
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'COMPACTED') || attempt === TRIES) throw error
    }
  }
}

function tooSlow(): RegistryError {
  return new RegistryError(
    'TIMEOUT',
    'the criteria match too little of too much: add a condition on kind, namespace or meta',
  )
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

/** What is asked of the database for one find. Tests have its statements explained. */
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

  /** Statements of every shape a client can think of are not to be kept prepared on each connection. */
  get #isEverything(): boolean {
    return 'all' in this.#criteria && this.#criteria.all.length === 0
  }

  /**
   * The rows of a state, under the alias `h`. An old state is read in one of two ways: id by id with one
   * index look at each (whatever the log holds of it), or from the log by its own indexes, leaving out what
   * a later row supersedes: that one wins where the criteria select by kind or meta. The trigrams of names are on
   * `entry_name` alone, since every change of an entry would write them anew: where they serve, ids come from there.
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

/** The rows of `head` or `change` under their names of `entry_name`, so that it is those names that are asked about. */
function byNames(table: string): string {
  const rest = table === 'head' ? '' : ', c.operation'
  return `(SELECT e.ns, e.name${rest}, ${contentColumns('c')}, c.meta_index
    FROM entry_name e JOIN ${table} c ON c.ns = e.ns AND c.name = e.name) h`
}

/** Whether some condition that every match must meet is on kind or meta, by which the log has indexes. */
function selectsByContent(criteria: Criteria): boolean {
  if ('all' in criteria) return criteria.all.some(selectsByContent)
  if ('any' in criteria) return criteria.any.length > 0 && criteria.any.every(selectsByContent)
  if ('not' in criteria) return false
  return 'meta' in criteria.field || criteria.field.root === 'kind'
}
