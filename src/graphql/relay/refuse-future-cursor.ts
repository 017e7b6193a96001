import type { Page, PageOf } from '../../store/contract/history-reader.js'
import { invalidCursor } from './cursor-codec.js'

/**
 * Refuses cursors of places that the list has not reached: this registry cannot have given them out. Asks for
 * the newest place only where the page leaves it open. @throws RegistryError INVALID_CURSOR
 */
export async function refuseFutureCursor(
  page: Page<number>,
  found: PageOf<unknown>,
  newest: () => Promise<number>,
): Promise<void> {
  const furthest = Math.max(page.after ?? 0, page.before ?? 0)
  if (furthest === 0 || (page.before === null && found.items.length > 0)) return
  if (furthest > (await newest())) throw invalidCursor('it names a place that this list has not reached')
}
