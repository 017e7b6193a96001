import type { EntryRevision } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import { cancellable } from '../async/cancellable.js'
import { type FollowSources, followerFrom, followLog, untracked } from './follow.js'
import { LogFollower } from './log-follower.js'
import { endOfRevision } from './log-position.js'
import type { PositionTracker } from './stream-position.js'

/** Yields an entry now and after each change. It yields null while the entry does not exist. */
export function followEntry(
  sources: FollowSources,
  id: EntryId,
  signal: AbortSignal,
  tracker: PositionTracker = untracked(),
): AsyncIterableIterator<EntryRevision | null> {
  return cancellable(signal, (signal) => followed(sources, id, signal, tracker))
}

async function* followed(
  sources: FollowSources,
  id: EntryId,
  signal: AbortSignal,
  tracker: PositionTracker,
): AsyncGenerator<EntryRevision | null, void, undefined> {
  const { history } = sources
  if (signal.aborted) return
  const matches = (entry: EntryRevision) => entry.id === id
  let follower: LogFollower
  let shown: EntryRevision | null = null
  if (tracker.from === null) {
    const head = await sources.head()
    // A store without history reads only the current head, which may have moved on since.
    shown = (await history.entries([id], history.hasHistory ? head.revision : 'head')).get(id) ?? null
    follower = new LogFollower(
      { position: endOfRevision(head.revision), version: head.version },
      head.revision,
      matches,
    )
    const revision = Math.max(head.revision, shown?.revision ?? 0)
    tracker.at = { position: endOfRevision(revision), target: revision }
    yield shown
  } else follower = followerFrom(tracker.from, matches)

  tracker.scanned = () => follower.scanned
  const target = (tracker.from ?? tracker.at)!.target
  let latest: EntryRevision | null | undefined
  for await (const { revision, changes, complete } of followLog(
    sources,
    follower,
    { field: { root: 'id' }, values: [id] },
    signal,
  )) {
    // A replacement by another kind is two changes of one revision. Only the state after both is yielded.
    for (const { entry } of changes) latest = entry
    if (!complete || latest === undefined) continue
    if (revision > (shown?.revision ?? 0)) {
      tracker.at = { position: endOfRevision(revision), target }
      yield latest
    }
    latest = undefined
  }
}
