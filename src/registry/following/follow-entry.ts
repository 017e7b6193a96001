import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import { cancellable } from '../async/cancellable.js'
import { type FollowSources, followerFrom, followLog, nowhere } from './follow.js'
import { LogFollower } from './follow-log.js'
import { endOf } from './log-position.js'
import type { FollowPlace } from './stream-position.js'

/** The entry as it stands, then anew after each change; null while there is none. */
export function followEntry(
  sources: FollowSources,
  id: EntryId,
  signal: AbortSignal,
  place: FollowPlace = nowhere(),
): AsyncIterableIterator<EntryRevision | null> {
  return cancellable(signal, (signal) => followed(sources, id, signal, place))
}

async function* followed(
  sources: FollowSources,
  id: EntryId,
  signal: AbortSignal,
  place: FollowPlace,
): AsyncGenerator<EntryRevision | null, void, undefined> {
  const { history } = sources
  if (signal.aborted) return
  const matches = (entry: EntryRevision) => entry.id === id
  let follower: LogFollower
  let shown: EntryRevision | null = null
  if (place.from === null) {
    const head = await sources.head()
    // Where no history is kept the head may have moved on since, and only its present state can be read.
    shown = (await history.entries([id], history.hasHistory ? head.revision : 'head')).get(id) ?? null
    follower = new LogFollower({ position: endOf(head.revision), version: head.version }, head.revision, matches)
    const revision = Math.max(head.revision, shown?.revision ?? 0)
    place.at = { position: endOf(revision), target: revision }
    yield shown
  } else follower = followerFrom(place.from, matches)

  place.looked = () => follower.looked
  const target = (place.from ?? place.at)!.target
  let latest: EntryRevision | null | undefined
  for await (const { revision, changes, complete } of followLog(
    sources,
    follower,
    { field: { root: 'id' }, values: [id] },
    signal,
  )) {
    // A replacement of another kind is two changes of one revision, and only what they come to is a state.
    for (const { entry } of changes) latest = entry
    if (!complete || latest === undefined) continue
    if (revision > (shown?.revision ?? 0)) {
      place.at = { position: endOf(revision), target }
      yield latest
    }
    latest = undefined
  }
}
