import type { Page, PageOf } from '../../contract/history-reader.js'

/**
 * Makes a page of rows that were read with a limit of one more than the page holds. If the rows were read from the end
 * of a connection, they are put back into its order.
 */
export function cutPage<Item>(rows: readonly Item[], page: Page<unknown>): PageOf<Item> {
  const items = rows.slice(0, page.limit)
  return { items: page.fromEnd ? items.reverse() : items, hasMore: rows.length > page.limit }
}
