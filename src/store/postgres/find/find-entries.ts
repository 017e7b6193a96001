import type { CompileRegex } from '../../../core/criteria/compiled-regex.js'
import type { Criteria } from '../../../core/criteria/criteria.js'
import { compileMatcher } from '../../../core/criteria/matcher.js'
import type { EntryRevision } from '../../../core/entry/entry.js'
import { RegistryError } from '../../../core/errors/registry-error.js'
import { pauseIfDue } from '../../coalescing/time-slices.js'
import type {
  EntryOrder,
  EntryPage,
  EntryPosition,
  HistoryReader,
  Page,
  ReadAt,
} from '../../contract/history-reader.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { PageSize } from '../read/bounded-rows.js'
import { cutPage } from '../read/cut-page.js'
import { type FindClients, FindQuery } from './find-query.js'

/** @bound Rows read at once if SQL cannot decide and each row has to be matched here. */
const CANDIDATES_AT_ONCE = 500
/** The candidates are divided by this if they are too large together. */
const FEWER = 4
const COUNTED_AT_ONCE = 1_000

type FindReads = Pick<HistoryReader, 'findEntries' | 'countEntries'>

/**
 * Finds entries. SQL returns every entry that may match. If the SQL is not exact, mostly because of regular
 * expressions, the core's matcher checks each row here. Reading continues until the page is full.
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
    // This takes several reads, and the head may move between them, so they all read one fixed revision.
    return at === 'head'
      ? atHeadRevision(client, (revision) => match(query, criteria, order, page, revision))
      : match(query, criteria, order, page, at)
  }

  async function match(
    query: FindQuery,
    criteria: Criteria,
    order: EntryOrder,
    page: Page<EntryPosition>,
    revision: number,
  ): Promise<EntryPage> {
    const found: EntryRevision[] = []
    const size = new PageSize()
    for await (const row of matching(query, criteria, order, page, revision)) {
      size.add(row.content.metaText, row.content.dataText)
      if (size.isTooLarge) throw size.error()
      found.push(row)
      if (found.length > page.limit) break
    }
    return { ...cutPage(found, page), revision }
  }

  /** Reads the rows that may match, and yields those that match. */
  async function* matching(
    query: FindQuery,
    criteria: Criteria,
    order: EntryOrder,
    page: Page<EntryPosition>,
    revision: number,
  ): AsyncGenerator<EntryRevision> {
    const matches = compileMatcher(criteria, compileRegex)
    const deadline = performance.now() + timeoutMs
    let window = page
    let chunk = Math.max(page.limit + 1, CANDIDATES_AT_ONCE)
    for (;;) {
      const rows = await candidates(query, order, window, chunk, revision)
      if (rows === null) {
        chunk = Math.ceil(chunk / FEWER)
        continue
      }
      for (const row of rows) {
        // Matching one row may take long (a regular expression over a megabyte), so each row checks the deadline.
        if (performance.now() > deadline) throw tooSlow()
        const pause = pauseIfDue()
        if (pause !== undefined) await pause
        if (matches(row)) yield row
      }
      if (rows.length < chunk) return
      const last = rows.at(-1)!
      const position = { id: last.id, revision: last.revision }
      window = page.fromEnd ? { ...window, before: position } : { ...window, after: position }
    }
  }

  /** Reads rows that may match; null if so many are too large together. */
  async function candidates(
    query: FindQuery,
    order: EntryOrder,
    page: Page<EntryPosition>,
    count: number,
    revision: number,
  ): Promise<readonly EntryRevision[] | null> {
    try {
      return (await query.read(clients, order, page, count, revision)).rows
    } catch (error) {
      if (count > 1 && error instanceof RegistryError && error.code === 'TOO_LARGE') return null
      throw error
    }
  }

  async function count(criteria: Criteria, at: ReadAt): Promise<number> {
    const query = new FindQuery(criteria)
    if (query.exact) return query.count(client, at)
    return at === 'head'
      ? atHeadRevision(client, (revision) => countMatches(query, criteria, revision))
      : countMatches(query, criteria, at)
  }

  async function countMatches(query: FindQuery, criteria: Criteria, revision: number): Promise<number> {
    const all: Page<EntryPosition> = { limit: COUNTED_AT_ONCE, after: null, before: null, fromEnd: false }
    let total = 0
    for await (const _ of matching(query, criteria, 'ID_ASC', all, revision)) total += 1
    return total
  }

  return { findEntries: find, countEntries: count }
}

const MAX_TRIES = 3

/** Reads at the head's current revision. Tries again if it is compacted meanwhile, because the caller named no revision. */
async function atHeadRevision<Found>(
  client: RetryingClient,
  read: (revision: number) => Promise<Found>,
): Promise<Found> {
  for (let attempt = 1; ; attempt++) {
    const [row] = await client.run((sql) => sql<{ revision: number }[]>`SELECT revision FROM head_pointer`)
    try {
      return await read(row!.revision)
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'COMPACTED') || attempt === MAX_TRIES) throw error
    }
  }
}

function tooSlow(): RegistryError {
  return new RegistryError(
    'TIMEOUT',
    'The search took too long because too few entries match. Add a condition on kind, namespace or meta.',
  )
}
