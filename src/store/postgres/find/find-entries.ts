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
import { cutPage } from '../read/cut-page.js'
import { type FindClients, FindQuery } from './find-query.js'

/** @bound Rows read at once if SQL cannot decide and each row has to be matched here. */
const CANDIDATES_AT_ONCE = 500

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
    const matches = compileMatcher(criteria, compileRegex)
    const found: EntryRevision[] = []
    const deadline = performance.now() + timeoutMs
    let window = page
    for (;;) {
      const chunk = Math.max(page.limit + 1, CANDIDATES_AT_ONCE)
      const { rows } = await query.read(clients, order, window, chunk, revision)
      for (const row of rows) {
        // Matching one row may take long (a regular expression over a megabyte), so each row checks the deadline.
        if (performance.now() > deadline) throw tooSlow()
        const pause = pauseIfDue()
        if (pause !== undefined) await pause
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
      ? atHeadRevision(client, (revision) => countMatches(criteria, revision))
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
