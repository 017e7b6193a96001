import type { CompileRegex } from '../../core/criteria/compiled-regex.js'
import { compileMatcher } from '../../core/criteria/matcher.js'
import type { Head } from '../../core/history/version.js'
import type { History } from '../../store/contract/history.js'
import type { LogPage } from '../../store/contract/history-reader.js'
import { logCompactedError } from '../../store/planning/compacted-errors.js'
import { cancellable } from '../async/cancellable.js'
import { pause, yieldToEventLoop } from '../async/pause.js'
import { retryWhileUnavailable } from '../async/retry-while-unavailable.js'
import type { MatchEntry } from './filtered-change.js'
import { type FollowCursor, invalidFollowCursor, readCursor, writeCursor } from './follow-cursor.js'
import type { ChangeBatch, FollowInput } from './follow-input.js'
import { type IndexKey, indexKeyOf } from './index-key.js'
import { initialPages } from './initial-pages.js'
import { LogFollower, type PositionedBatch } from './log-follower.js'
import type { LogPageCache } from './log-page-cache.js'
import { endOfRevision } from './log-position.js'
import type { LogTail } from './log-tail.js'
import { PROGRESS_MS } from './log-tail.js'
import { changesFor } from './page-index.js'
import { restOfPage } from './rest-of-page.js'
import { isSyncedAt, type PositionTracker, type StreamPosition } from './stream-position.js'

/** Before the store is asked again that had nothing to tell. */
const IDLE_PAGE_MS = 50

export interface FollowSources {
  readonly history: History
  /** At least as new as every write acknowledged before the call; one look for all who ask at once. */
  readonly head: () => Promise<Head>
  /** The oldest revision kept, likewise. */
  readonly oldest: () => Promise<number>
  readonly logTail: LogTail
  /** For those who catch up. */
  readonly pages: LogPageCache
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
  const { criteria, signal, tracker = untracked() } = input
  const matches = criteria === null ? null : compileMatcher(criteria, sources.compileRegex)
  const interest = criteria === null ? null : indexKeyOf(criteria)
  if (signal.aborted) return
  let target = tracker.from?.target ?? 0
  const written = ({ position, ...batch }: PositionedBatch): ChangeBatch => {
    tracker.at = { position, target }
    return { cursor: writeCursor(history.registryId, { phase: 'log', position }), ...batch }
  }
  if (tracker.from !== null) {
    const follower = track(tracker, followerFrom(tracker.from, matches))
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
    follower = track(tracker, new LogFollower({ position: endOfRevision(revision), version }, head.revision, matches))
    const synced = revision >= head.revision
    for await (const { changes, after, last } of initialPages(history, criteria, revision, start.after, signal)) {
      tracker.at = last ? { position: endOfRevision(revision), target } : null
      const cursor: FollowCursor = last ? { phase: 'log', position: endOfRevision(revision) } : { ...start, after }
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
    follower = track(
      tracker,
      new LogFollower({ position: start.position, version: head.version }, head.revision, matches),
    )
    if (follower.reachedTarget) yield written(follower.progress())
  }
  for await (const batch of followLog(sources, follower, interest, signal)) yield written(batch)
}

export function untracked(): PositionTracker {
  return { from: null, at: null, scanned: null }
}

/** Tells from now on how far a follower has scanned. */
function track(tracker: PositionTracker, follower: LogFollower): LogFollower {
  tracker.scanned = () => follower.scanned
  return follower
}

/** A follower that goes on where another one was. */
export function followerFrom(start: StreamPosition, matches: MatchEntry | null): LogFollower {
  // The version is told only of revisions that have been scanned at since.
  const follower = new LogFollower({ position: start.position, version: 0 }, start.target, matches)
  follower.synced = isSyncedAt(start)
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
      : { phase: 'log', position: endOfRevision(head.revision) }
  const cursor = readCursor(history.registryId, after)
  const revision = cursor.phase === 'initial' ? cursor.revision : cursor.position.revision
  if (revision > head.revision) {
    throw invalidFollowCursor(
      `it is of revision ${revision}, and the registry is only at ${head.revision}; begin anew without it`,
    )
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
    throw invalidFollowCursor(`it is of revision ${revision}, which is not to be had; begin anew without it`)
  return transition.to
}

/** What happens after a follower's place, for as long as the signal lets it; `interest` is what its filter can be indexed by. */
export async function* followLog(
  sources: FollowSources,
  follower: LogFollower,
  interest: IndexKey | null,
  signal: AbortSignal,
): AsyncGenerator<PositionedBatch, void, undefined> {
  const { pages, logTail, progressMs = PROGRESS_MS } = sources
  const following = logTail.join(interest)
  let untoldSince: number | null = null
  try {
    if (follower.reachedTarget) logTail.readFrom(follower.position)
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
          const read = await retryWhileUnavailable(signal, () => pages.read(follower.position))
          if (read === null) return
          page = restOfPage(read, changesFor(read, interest), follower.position)
        }
        const { position } = follower
        yield* follower.take(page)
        // All who follow may have much to look at, and none of it need have waited for anything.
        await (follower.position === position ? pause(IDLE_PAGE_MS, signal) : yieldToEventLoop())
        if (follower.reachedTarget) logTail.readFrom(follower.position)
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
