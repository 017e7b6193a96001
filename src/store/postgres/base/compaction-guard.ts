import { compacted } from '../../planning/compacted-errors.js'
import type { ReadClient } from './read-pool.js'

/*
 * Compaction first says that what lies before a revision is gone, then removes it. So a statement that looks at the
 * oldest revision as of its own instant knows whether the rows it reads are whole: where that is not above the revision
 * asked for, nothing of it had been removed yet.
 */

/** The statement's rows with `oldest` beside each; one row of nulls where it has none. */
export function withOldest(statement: string): string {
  return `SELECT pointer.oldest_revision AS oldest, q.* FROM head_pointer pointer LEFT JOIN LATERAL (${statement}) q ON true`
}

export type WithOldest<Row> = Row & { readonly oldest: number }

/** The rows themselves. @throws RegistryError COMPACTED where the revision lies below the oldest */
export function wholeRows<Row extends { readonly ns: string }>(
  rows: readonly WithOldest<Row>[],
  revision: number,
): WithOldest<Row>[] {
  const oldest = rows[0]?.oldest ?? 0
  if (revision < oldest) throw compacted(revision, oldest)
  return thereRows(rows)
}

/**
 * Rows of a statement that tells the oldest revision in each, by itself: one step less than to join it. Where there are none it is asked for; it
 * only grows, so what is not above this revision now was not when nothing was found. @throws RegistryError COMPACTED
 */
export async function keptRows<Row>(
  client: ReadClient,
  rows: readonly WithOldest<Row>[],
  revision: number,
): Promise<readonly WithOldest<Row>[]> {
  const [row] =
    rows.length > 0
      ? rows
      : await client.read((sql) => sql<{ oldest: number }[]>`SELECT oldest_revision AS oldest FROM head_pointer`)
  if (revision < row!.oldest) throw compacted(revision, row!.oldest)
  return rows
}

/** Without the row of nulls. */
export function thereRows<Row extends { readonly ns: string | null }>(rows: readonly Row[]): Row[] {
  return rows.filter(({ ns }) => ns !== null)
}

/**
 * Whether a row of `change` is kept, as a condition beside `head_pointer pointer`: from the oldest revision on all are, before it
 * the last of each entry. What is not may still be there.
 */
export function isKept(alias: string): string {
  return `(${alias}.revision >= pointer.oldest_revision OR NOT EXISTS (SELECT 1 FROM change later WHERE later.ns = ${alias}.ns
    AND later.name = ${alias}.name AND later.revision > ${alias}.revision AND later.revision < pointer.oldest_revision))`
}
