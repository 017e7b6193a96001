import { entryIdParts } from '../../../core/entry/entry-id.js'
import type { EntryPosition, Page } from '../../contract/history-reader.js'
import { checkUncompacted, type WithOldestRevision } from '../base/compaction-guard.js'
import { CONTENT_COLUMN_NAMES, type EntryColumns, latestChange } from '../base/entry-row.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { boundedRows } from './bounded-rows.js'
import { PLANNED_ONCE } from './read-head.js'

/**
 * Session settings for pages. Both sides of the join come in the page's order and are read only until the page is full.
 * By default the server may sort all rows or start parallel workers, which takes 10 ms and more.
 */
export const PLANNED_IN_ORDER = {
  ...PLANNED_ONCE,
  enable_mergejoin: 'on',
  enable_sort: 'off',
  enable_incremental_sort: 'off',
  max_parallel_workers_per_gather: '0',
} as const

const [AT, LIMIT] = ['$1::bigint', '$2::int']

/**
 * Builds the statement for a page of all entries of a snapshot, in the order of their ids. An entry that has not
 * changed since that revision is read from the head, where rows lie in this order. The log is read only for the entries
 * that have changed, because reading it for every entry would double the time.
 */
export function snapshotPageStatement(
  page: Page<EntryPosition>,
  isDescending: boolean,
  limit: number,
  at: number,
): { text: string; params: unknown[] } {
  const params: unknown[] = [at, limit]
  const bounds: ((alias: string) => string)[] = []
  const bound = (operator: string, position: EntryPosition | null) => {
    if (position === null) return
    const { ns, name } = entryIdParts(position.id)
    const values = `($${params.push(ns)}::text, $${params.push(name)}::text)`
    bounds.push((alias) => ` AND (${alias}.ns, ${alias}.name) ${operator} ${values}`)
  }
  bound(isDescending ? '<' : '>', page.after)
  bound(isDescending ? '>' : '<', page.before)
  const within = (alias: string) => bounds.map((text) => text(alias)).join('')
  const direction = isDescending === page.fromEnd ? 'ASC' : 'DESC'
  const text = `
    SELECT (SELECT oldest_revision FROM head_pointer) AS oldest, e.ns, e.name, ${CONTENT_COLUMN_NAMES.map((column) => `COALESCE(l.${column}, h.${column}) AS ${column}`).join(', ')}
    FROM entry_name e
    LEFT JOIN head h ON h.ns = e.ns AND h.name = e.name${within('h')}
    LEFT JOIN LATERAL (${latestChange('e', AT, `(h.revision <= ${AT}) IS NOT TRUE`)}) l ON true
    WHERE (h.revision <= ${AT} OR l.operation <> 'delete')${within('e')}
    ORDER BY e.ns ${direction}, e.name ${direction} LIMIT ${LIMIT}`
  return { text, params }
}

/** @throws RegistryError COMPACTED if the revision is below the oldest one */
export async function readSnapshotPage(
  client: RetryingClient,
  page: Page<EntryPosition>,
  isDescending: boolean,
  limit: number,
  at: number,
): Promise<readonly EntryColumns[]> {
  const { text, params } = snapshotPageStatement(page, isDescending, limit, at)
  const rows = await client.run((sql) =>
    boundedRows(sql.unsafe<WithOldestRevision<EntryColumns>[]>(text, params as never[], { prepare: true })),
  )
  return checkUncompacted(client, rows, at)
}
