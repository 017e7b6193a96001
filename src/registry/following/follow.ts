import type { CompileRegex } from '../../core/criteria/criteria.js'
import { compileMatcher } from '../../core/criteria/matcher.js'
import type { Head } from '../../core/history/version.js'
import type { History } from '../../store/contract/history.js'
import type { LogPage } from '../../store/contract/history-reader.js'
import { logCompactedError } from '../../store/planning/compacted-errors.js'
import { cancellable } from '../async/cancellable.js'
import { breathe, pause } from '../async/pause.js'
import { persist } from '../async/retry-while-unavailable.js'
import type { Matches } from './change-view.js'
import { type FollowCursor, invalid, readCursor, writeCursor } from './follow-cursor.js'
import { initialParts } from './follow-initial.js'
import type { ChangeBatch, FollowInput } from './follow-input.js'
import { LogFollower, type PlacedBatch } from './follow-log.js'
import { type Interest, interestOf } from './index-key.js'
import type { SharedPages } from './log-page-cache.js'
import { endOf } from './log-position.js'
import type { LogReader } from './log-tail.js'
import { PROGRESS_MS } from './log-tail.js'
import { changesFor } from './page-index.js'
import { restOfPage } from './rest-of-page.js'
import { type FollowPlace, isSyncedAt, type StreamPlace } from './stream-position.js'

/** Before the store is asked again that had nothing to tell. */
const IDLE_PAGE_MS = 50

export interface FollowSources {
  readonly history: History
  /** At least as new as every write acknowledged before the call; one look for all who ask at once. */
  readonly head: () => Promise<Head>
  /** The oldest revision kept, likewise. */
  readonly oldest: () => Promise<number>
  readonly reader: LogReader
  /** For those who catch up. */
  readonly pages: SharedPages
  readonly compileRegex: CompileRegex
  readonly progressMs?: number
}

/**
 * SPEC 5. A follower is a cursor and a filter: it catches up from the store, then lives on what the one
 * reader of the log has read. Nothing is read for it until it asks, and nothing is kept for it.
 */
export function follow(sources: FollowSources, input: FollowInput): AsyncIterableIterator<ChangeBatch> {
  return cancellable(input.signal, (signal) => followed(sources, { ...input, signal }))
}

async function* followed(sources: FollowSources, input: FollowInput): AsyncGenerator<ChangeBatch, void, undefined> {
  const { history } = sources
  const { criteria, signal, place = nowhere() } = input
  const matches = criteria === null ? null : compileMatcher(criteria, sources.compileRegex)
  const interest = criteria === null ? null : interestOf(criteria)
  if (signal.aborted) return
  let target = place.from?.target ?? 0
  const written = ({ position, ...batch }: PlacedBatch): ChangeBatch => {
    place.at = { position, target }
    return { cursor: writeCursor(history.registryId, { phase: 'log', position }), ...batch }
  }
  if (place.from !== null) {
    const follower = standing(place, followerFrom(place.from, matches))
    for await (const batch of followLog(sources, follower, interest, signal)) yield written(batch)
    return
  }
  const head = await sources.head()
  const start = await startOf(sources, input, head)
  target = head.revision

  let follower: LogFollower
  if (start.phase === 'initial') {
    const { revision } = start
    const version = revision === head.revision ? head.version : await versionAt(history, revision)
    follower = standing(place, new LogFollower({ position: endOf(revision), version }, head.revision, matches))
    const synced = revision >= head.revision
    for await (const { changes, after, last } of initialParts(history, criteria, revision, start.after, signal)) {
      place.at = last ? { position: endOf(revision), target } : null
      const cursor: FollowCursor = last ? { phase: 'log', position: endOf(revision) } : { ...start, after }
      yield {
        cursor: writeCursor(history.registryId, cursor),
        revision,
        version,
        changes,
        complete: last,
        synced: last && synced,
      }
    }
    follower.synced = synced
  } else {
    // Only told where the cursor stands at the end of the head's revision; on the way there the log tells it.
    follower = standing(
      place,
      new LogFollower({ position: start.position, version: head.version }, head.revision, matches),
    )
    if (follower.reachedTarget) yield written(follower.progress())
  }
  for await (const batch of followLog(sources, follower, interest, signal)) yield written(batch)
}

export function nowhere(): FollowPlace {
  return { from: null, at: null, looked: null }
}

/** Tells from now on how far a follower has looked. */
function standing(place: FollowPlace, follower: LogFollower): LogFollower {
  place.looked = () => follower.looked
  return follower
}

/** A follower that goes on where another one was. */
export function followerFrom(place: StreamPlace, matches: Matches | null): LogFollower {
  // The version is told only of revisions that have been looked at since.
  const follower = new LogFollower({ position: place.position, version: 0 }, place.target, matches)
  follower.synced = isSyncedAt(place)
  return follower
}

/** Where a stream begins. @throws RegistryError INVALID_CURSOR, COMPACTED, HISTORY_NOT_KEPT */
async function startOf(
  { history, oldest: look }: FollowSources,
  { after, initial }: FollowInput,
  head: Head,
): Promise<FollowCursor> {
  if (after === null)
    return initial
      ? { phase: 'initial', revision: head.revision, after: null }
      : { phase: 'log', position: endOf(head.revision) }
  const cursor = readCursor(history.registryId, after)
  const revision = cursor.phase === 'initial' ? cursor.revision : cursor.position.revision
  if (revision > head.revision) {
    throw invalid(`it is of revision ${revision}, and the registry is only at ${head.revision}; begin anew without it`)
  }
  // Without history the log reaches back further than the oldest state does: `log` itself says how far.
  const oldest = history.hasHistory ? await look() : 0
  if (revision < oldest) throw logCompactedError(revision, oldest)
  return cursor
}

async function versionAt(history: History, revision: number): Promise<number> {
  if (revision === 0) return 0
  const transition = (await history.transitions([revision])).get(revision)
  if (transition === undefined)
    throw invalid(`it is of revision ${revision}, which is not to be had; begin anew without it`)
  return transition.to
}

/** What happens after a follower's place, for as long as the signal lets it; `interest` is what its filter can be indexed by. */
export async function* followLog(
  sources: FollowSources,
  follower: LogFollower,
  interest: Interest | null,
  signal: AbortSignal,
): AsyncGenerator<PlacedBatch, void, undefined> {
  const { pages, reader, progressMs = PROGRESS_MS } = sources
  const following = reader.join(interest)
  let untoldSince: number | null = null
  try {
    if (follower.reachedTarget) reader.readFrom(follower.position)
    while (!signal.aborted) {
      let page: LogPage | 'behind' | 'ahead' = follower.reachedTarget ? following.after(follower.position) : 'behind'
      if (page === 'ahead') {
        follower.passing = following.passed
        const { passed, isDue } = await following.advanced(
          signal,
          follower.owesEnd,
          untoldSince === null ? null : untoldSince + progressMs - performance.now(),
        )
        follower.passing = null
        if (passed !== null) follower.skip(passed)
        if (isDue) untoldSince ??= -Infinity
      } else {
        if (page === 'behind') {
          const read = await persist(signal, () => pages.read(follower.position))
          if (read === null) return
          page = restOfPage(read, changesFor(read, interest), follower.position)
        }
        const { position } = follower
        yield* follower.take(page)
        // All who follow may have much to look at, and none of it need have waited for anything.
        await (follower.position === position ? pause(IDLE_PAGE_MS, signal) : breathe())
        if (follower.reachedTarget) reader.readFrom(follower.position)
      }
      if (!follower.hasUntold) untoldSince = null
      else if ((untoldSince ??= performance.now()) + progressMs <= performance.now()) {
        untoldSince = null
        yield follower.progress()
      }
    }
  } finally {
    following.leave()
  }
}
