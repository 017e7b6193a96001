import { type Criteria, EVERYTHING } from '../../core/criteria/criteria.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Change } from '../../core/history/change.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'
import { entryBytes } from '../../store/planning/content-size.js'
import { retryWhileUnavailable } from '../async/retry-while-unavailable.js'
import { splitIntoBatches } from './log-follower.js'
import { PageLimit } from './page-limit.js'

/** A page of the matching entries at one revision. */
export interface InitialPage {
  readonly changes: readonly Change[]
  /** The last entry so far, null before the first. */
  readonly after: EntryId | null
  readonly last: boolean
}

/**
 * Yields the matching entries of a revision after an entry, by id, as CREATE changes. The last page may be empty.
 * @throws RegistryError TIMEOUT if the filter takes too long, because a retry would take as long
 */
export async function* initialPages(
  history: HistoryReader,
  criteria: Criteria | null,
  revision: number,
  from: EntryId | null,
  signal: AbortSignal,
): AsyncGenerator<InitialPage, void, undefined> {
  const limit = new PageLimit()
  let after = from
  for (let position = 0, more = true; more && !signal.aborted; ) {
    const window = { after: after === null ? null : { id: after, revision: 0 }, before: null, fromEnd: false }
    // Without history, a second page could belong to another state, so there is only one. Its entries are in memory
    // already.
    const most = history.hasHistory ? limit.limit : Number.MAX_SAFE_INTEGER
    const page = await retryWhileUnavailable(
      signal,
      () => history.findEntries(criteria ?? EVERYTHING, 'ID_ASC', { ...window, limit: most }, revision),
      ['UNAVAILABLE'],
    )
    if (page === null) return
    limit.record(
      page.items.length,
      page.items.reduce((sum, entry) => sum + entryBytes(entry), 0),
    )
    const changes = page.items.map(
      (entry): Change => ({ revision, position: position++, kind: 'CREATE', id: entry.id, entry, previous: null }),
    )
    const parts = [...splitIntoBatches(changes)]
    if (parts.length === 0 && !page.hasMore) parts.push([])
    for (const [i, part] of parts.entries()) {
      after = part.at(-1)?.id ?? after
      yield { changes: part, after, last: !page.hasMore && i === parts.length - 1 }
    }
    more = page.hasMore
  }
}
