import { compactedError } from '../../planning/compacted-errors.js'
import { isLatestChange } from './entry-row.js'
import type { RetryingClient } from './retrying-client.js'

/*
 * Compaction first raises the oldest revision, then removes rows. A statement that reads the oldest revision in its own
 * snapshot therefore knows whether its rows are complete. Unless the oldest revision is above the requested one, none
 * of them has been removed yet.
 */

/** Adds the oldest revision to a statement's rows as `oldest`. A statement without rows returns one row of nulls. */
export function withOldestRevision(statement: string): string {
  return `SELECT pointer.oldest_revision AS oldest, q.* FROM head_pointer pointer LEFT JOIN LATERAL (${statement}) q ON true`
}

export type WithOldestRevision<Row> = Row & { readonly oldest: number }

/** The statement's own rows. @throws RegistryError COMPACTED if the revision is below the oldest */
export function uncompactedRows<Row extends { readonly ns: string }>(
  rows: readonly WithOldestRevision<Row>[],
  revision: number,
): WithOldestRevision<Row>[] {
  const oldest = rows[0]?.oldest ?? 0
  if (revision < oldest) throw compactedError(revision, oldest)
  return presentRows(rows)
}

/**
 * Checks rows that have the oldest revision as a column of their own, which saves a join. If there are no rows, another
 * query reads it. It only grows, so if it is not above the revision now, it was not before.
 * @throws RegistryError COMPACTED
 */
export async function checkUncompacted<Row>(
  client: RetryingClient,
  rows: readonly WithOldestRevision<Row>[],
  revision: number,
): Promise<readonly WithOldestRevision<Row>[]> {
  const [row] =
    rows.length > 0
      ? rows
      : await client.run((sql) => sql<{ oldest: number }[]>`SELECT oldest_revision AS oldest FROM head_pointer`)
  if (revision < row!.oldest) throw compactedError(revision, row!.oldest)
  return rows
}

/** The rows without the row of nulls. */
export function presentRows<Row extends { readonly ns: string | null }>(rows: readonly Row[]): Row[] {
  return rows.filter(({ ns }) => ns !== null)
}

/**
 * Whether a row of `change` is retained, as a condition beside `head_pointer pointer`. All rows from the oldest
 * revision on are retained, and before it the last row of each entry. Other rows may not have been removed yet.
 */
export function isRetained(alias: string): string {
  return `(${alias}.revision >= pointer.oldest_revision OR ${isLatestChange(alias, 'pointer.oldest_revision - 1')})`
}
