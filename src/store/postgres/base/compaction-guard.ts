import { compactedError } from '../../planning/compacted-errors.js'
import type { RetryingClient } from './retrying-client.js'

/*
 * Compaction first says that what lies before a revision is gone, then removes it. So a statement that looks at the
 * oldest revision as of its own instant knows whether the rows it reads are whole: where that is not above the revision
 * asked for, nothing of it had been removed yet.
 */

/** The statement's rows with `oldest` beside each; one row of nulls where it has none. */
export function withOldestRevision(statement: string): string {
  return `SELECT pointer.oldest_revision AS oldest, q.* FROM head_pointer pointer LEFT JOIN LATERAL (${statement}) q ON true`
}

export type WithOldestRevision<Row> = Row & { readonly oldest: number }

/** The rows themselves. @throws RegistryError COMPACTED where the revision lies below the oldest */
export function uncompactedRows<Row extends { readonly ns: string }>(
  rows: readonly WithOldestRevision<Row>[],
  revision: number,
): WithOldestRevision<Row>[] {
  const oldest = rows[0]?.oldest ?? 0
  if (revision < oldest) throw compactedError(revision, oldest)
  return presentRows(rows)
}

/**
 * Rows of a statement that tells the oldest revision in each, by itself: one step less than to join it. Where there are none it is asked for; it
 * only grows, so what is not above this revision now was not when nothing was found. @throws RegistryError COMPACTED
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

/** Without the row of nulls. */
export function presentRows<Row extends { readonly ns: string | null }>(rows: readonly Row[]): Row[] {
  return rows.filter(({ ns }) => ns !== null)
}

/**
 * Whether a row of `change` is kept, as a condition beside `head_pointer pointer`: from the oldest revision on all are, before it
 * the last of each entry. What is not may still be there.
 */
export function isRetained(alias: string): string {
  return `(${alias}.revision >= pointer.oldest_revision OR NOT EXISTS (SELECT 1 FROM change later WHERE later.ns = ${alias}.ns
    AND later.name = ${alias}.name AND later.revision > ${alias}.revision AND later.revision < pointer.oldest_revision))`
}
