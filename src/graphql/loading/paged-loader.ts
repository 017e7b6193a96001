import DataLoader from 'dataloader'
import type { Page } from '../../store/contract/history-reader.js'
import type { ReadGate } from './heavy-work.js'

/** A page of one of many lists. */
export interface PageKey<Key, Position> {
  readonly of: Key
  readonly page: Page<Position>
}

/**
 * Makes a loader that batches by page: the same page of several lists is read in one statement. It batches and caches
 * within one request, so it is a DataLoader and not a `BatchQueue` of `store/coalescing`.
 */
export function pagedLoader<Key extends string | number, Position, Found>(
  gate: ReadGate,
  read: (keys: readonly Key[], page: Page<Position>) => Promise<ReadonlyMap<Key, Found>>,
  absent: Found,
): DataLoader<PageKey<Key, Position>, Found, string> {
  return new DataLoader(
    async (requests) => {
      const batches = new Map<string, { page: Page<Position>; keys: Key[] }>()
      for (const { of, page } of requests) {
        const name = pageKey(page)
        const batch = batches.get(name)
        if (batch === undefined) batches.set(name, { page, keys: [of] })
        else batch.keys.push(of)
      }
      const found = new Map<string, ReadonlyMap<Key, Found>>()
      for (const [name, { page, keys }] of batches) found.set(name, await gate(() => read(keys, page)))
      return requests.map(({ of, page }) => found.get(pageKey(page))?.get(of) ?? absent)
    },
    { cacheKeyFn: ({ of, page }) => `${pageKey(page)} ${of}` },
  )
}

function pageKey(page: Page<unknown>): string {
  return JSON.stringify([page.limit, page.after, page.before, page.fromEnd])
}
