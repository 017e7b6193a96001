import type { Page, PageOf } from '../../store/contract/history-reader.js'
import { invalidCursor } from './cursor-codec.js'

/**
 * Refuses cursors beyond the end of a list that only grows: this registry cannot have issued them.
 * @param newest - Reads the last position of the list. Called only if the page itself does not settle the question
 * @throws RegistryError INVALID_CURSOR
 */
export async function refuseFutureCursor(
  page: Page<number>,
  found: PageOf<unknown>,
  newest: () => Promise<number>,
): Promise<void> {
  const furthest = Math.max(page.after ?? 0, page.before ?? 0)
  if (furthest === 0 || (page.before === null && found.items.length > 0)) return
  if (furthest > (await newest())) throw invalidCursor('it names a position beyond the end of this list')
}
