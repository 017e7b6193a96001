import type { EntryId } from '../../core/entry/entry-id.js'
import type { Change } from '../../core/history/change.js'
import type { History } from '../../store/contract/history.js'
import type { LogPosition } from '../../store/contract/history-reader.js'
import type { EntryRecord } from '../../store/contract/source-records.js'
import { sourceAuthor } from '../contract/source-settings.js'
import { LocationRecords } from './location-records.js'

/** @bound Changes of the log that are read at a time while a crashed pass is repaired. */
const CHUNK = 2_000
/** The location of entries that the source wrote from an unknown place. No location has this name, so it counts as deleted. */
const UNKNOWN_LOCATION = ''

/**
 * Opens the records of a source. First it records writes that are not recorded yet: if a gateway ends between a commit and
 * its record, the owner of the entries would be unknown. @throws LeaseLost
 */
export async function openLocationRecords(source: string, history: History): Promise<LocationRecords> {
  const { sources } = history
  const since = await sources.unsettledSince(source)
  const locationRecords = await LocationRecords.open(source, sources)
  if (since === null) return locationRecords
  for await (const { revision, changes } of ownWrites(source, since, history)) await adopt(changes, revision)
  await locationRecords.endWrites()
  return locationRecords

  async function adopt(changes: readonly Change[], revision: number): Promise<void> {
    const recorded = await sources.entries(
      source,
      changes.map(({ id }) => id),
    )
    const entries = new Map<EntryId, EntryRecord>()
    const removed = new Set<EntryId>()
    for (const { id, entry } of changes) {
      const record = recorded.get(id)
      if ((record?.revision ?? 0) >= revision) continue
      if (entry === null) {
        removed.add(id)
        continue
      }
      removed.delete(id)
      entries.set(id, { id, location: record?.location ?? UNKNOWN_LOCATION, digest: entry.content.digest, revision })
    }
    const locations = [...entries.values()].some(({ location }) => location === UNKNOWN_LOCATION)
      ? [{ location: UNKNOWN_LOCATION, stamp: null, entries: 0 }]
      : []
    await locationRecords.save({
      entries: [...entries.values()],
      removedEntries: [...removed].filter((id) => !entries.has(id)),
      locations,
      removedLocations: [],
    })
  }
}

/** Changes by this source's changesets after a revision. Each item has changes of one revision. */
async function* ownWrites(
  source: string,
  since: number,
  history: History,
): AsyncGenerator<{ revision: number; changes: readonly Change[] }> {
  const author = sourceAuthor(source)
  let after: LogPosition = { revision: since, position: Infinity }
  for (;;) {
    const page = await history.log(after, CHUNK)
    for (const { revision, kind, author: by } of page.transitions) {
      if (kind !== 'CHANGESET' || by !== author) continue
      const changes = page.changes.filter((change) => change.revision === revision)
      if (changes.length > 0) yield { revision, changes }
    }
    after = page.upTo
    if (after.revision >= page.head.revision && after.position === Infinity) return
  }
}
