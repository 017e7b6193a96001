import DataLoader from 'dataloader'
import type { Page } from '../../store/contract/history-reader.js'

/** The same window asked of many lists. */
export interface PageKey<Key, Position> {
  readonly of: Key
  readonly page: Page<Position>
}

/**
 * Batches by window: all keys that want the same page are read at once. It coalesces within one GraphQL request and caches for
 * that request, so it is a DataLoader and not a `BatchQueue` of `store/coalescing`.
 */
export function pagedLoader<Key extends string | number, Position, Found>(
  read: (keys: readonly Key[], page: Page<Position>) => Promise<ReadonlyMap<Key, Found>>,
  absent: Found,
): DataLoader<PageKey<Key, Position>, Found, string> {
  return new DataLoader(
    async (wanted) => {
      const windows = new Map<string, { page: Page<Position>; keys: Key[] }>()
      for (const { of, page } of wanted) {
        const name = windowName(page)
        const window = windows.get(name)
        if (window === undefined) windows.set(name, { page, keys: [of] })
        else window.keys.push(of)
      }
      const found = new Map<string, ReadonlyMap<Key, Found>>()
      for (const [name, { page, keys }] of windows) found.set(name, await read(keys, page))
      return wanted.map(({ of, page }) => found.get(windowName(page))?.get(of) ?? absent)
    },
    { cacheKeyFn: ({ of, page }) => `${windowName(page)} ${of}` },
  )
}

function windowName(page: Page<unknown>): string {
  return JSON.stringify([page.limit, page.after, page.before, page.fromEnd])
}
