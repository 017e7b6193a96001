import type { Page, PageOf } from '../contract/history-reader.js'

/** Cuts a page out of a whole list. `compare` compares an item with a position, ascending in the list's order. */
export function pageOf<Item, Position>(
  items: readonly Item[],
  page: Page<Position>,
  compare: (item: Item, position: Position) => number,
): PageOf<Item> {
  const { after, before } = page
  const window = items.filter(
    (item) => (after === null || compare(item, after) > 0) && (before === null || compare(item, before) < 0),
  )
  const hasMore = window.length > page.limit
  const cut = page.fromEnd ? window.slice(Math.max(0, window.length - page.limit)) : window.slice(0, page.limit)
  return { items: cut, hasMore }
}
