import type { CompileRegex } from '../../core/criteria/compiled-regex.js'
import { compileMatcher } from '../../core/criteria/matcher.js'
import { type Head, knownRevision } from '../../core/history/version.js'
import { pauseIfDue } from '../../store/coalescing/time-slices.js'
import type { History } from '../../store/contract/history.js'
import type { LogPage } from '../../store/contract/history-reader.js'
import { logCompactedError } from '../../store/planning/compacted-errors.js'
import { cancellable } from '../async/cancellable.js'
import { pause, yieldToEventLoop } from '../async/pause.js'
import { retryWhileUnavailable } from '../async/retry-while-unavailable.js'
import type { MatchEntry } from './filtered-change.js'
import { type FollowCursor, filterOf, invalidFollowCursor, readCursor, writeCursor } from './follow-cursor.js'
import type { ChangeBatch, FollowInput } from './follow-input.js'
import { type IndexKey, indexKeyOf } from './index-key.js'
import { initialPages } from './initial-pages.js'
import { LogFollower, type PositionedBatch } from './log-follower.js'
import type { LogPageCache } from './log-page-cache.js'
import { endOfRevision } from './log-position.js'
import type { LogTail } from './log-tail.js'
import { PROGRESS_MS } from './log-tail.js'
import { candidateChanges } from './page-index.js'
import { restOfPage } from './rest-of-page.js'
import { isSyncedAt, type PositionTracker, type StreamPosition } from './stream-position.js'

/** Pause before the store is asked again after it returned nothing, in milliseconds. */
const IDLE_PAGE_MS = 50

/** The data that streams read from. */
export interface FollowSources {
  readonly history: History
  /** Returns a head at least as new as every write acknowledged before the call. Concurrent calls share one query. */
  readonly head: () => Promise<Head>
  /** Returns the oldest revision that can be read. Concurrent calls share one query. */
  readonly oldest: () => Promise<number>
  readonly logTail: LogTail
  /** Pages of the log, for followers that catch up. */
  readonly pages: LogPageCache
  readonly compileRegex: CompileRegex
  readonly progressMs?: number
}

/**
 * Follows the changes that match (SPEC 5). A follower is a cursor and a filter. It catches up from the store, then
 * reads from the log tail that all followers share. Nothing is read or buffered for it until it requests the next
 * batch.
 * @throws RegistryError INVALID_CURSOR, COMPACTED, HISTORY_NOT_KEPT
 */
export function follow(sources: FollowSources, input: FollowInput): AsyncIterableIterator<ChangeBatch> {
  return cancellable(input.signal, (signal) => followed(sources, { ...input, signal }))
}

async function* followed(sources: FollowSources, input: FollowInput): AsyncGenerator<ChangeBatch, void, undefined> {
  const { history } = sources
  const { criteria, signal, tracker = untracked() } = input
  const matches = criteria === null ? null : compileMatcher(criteria, sources.compileRegex)
  const indexKey = criteria === null ? null : indexKeyOf(criteria)
  if (signal.aborted) return
  let target = tracker.from?.target ?? 0
  const written = ({ position, ...batch }: PositionedBatch): ChangeBatch => {
    tracker.at = { position, target }
    return { cursor: writeCursor(history.registryId, { phase: 'log', position }), ...batch }
  }
  if (tracker.from !== null) {
    const follower = track(tracker, followerFrom(tracker.from, matches))
    for await (const batch of followLog(sources, follower, indexKey, signal)) yield written(batch)
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
    // A batch reports `synced` at once only if the cursor is at the end of the head's revision. Otherwise the log leads
    // there.
    follower = track(
      tracker,
      new LogFollower({ position: start.position, version: head.version }, head.revision, matches),
    )
    if (follower.reachedTarget) yield written(follower.progress())
  }
  for await (const batch of followLog(sources, follower, indexKey, signal)) yield written(batch)
}

/** Returns a tracker for a stream whose position is not shared. */
export function untracked(): PositionTracker {
  return { from: null, at: null, scanned: null }
}

/** Lets a tracker report how far a follower has scanned. */
function track(tracker: PositionTracker, follower: LogFollower): LogFollower {
  tracker.scanned = () => follower.scanned
  return follower
}

/** Returns a follower that continues where another one was. */
export function followerFrom(start: StreamPosition, matches: MatchEntry | null): LogFollower {
  // The version is sent only with revisions that are scanned from here on.
  const follower = new LogFollower({ position: start.position, version: 0 }, start.target, matches)
  follower.synced = isSyncedAt(start)
  return follower
}

/**
 * Returns where a stream begins.
 * @throws RegistryError INVALID_CURSOR, REVISION_NOT_FOUND, COMPACTED, HISTORY_NOT_KEPT
 */
async function startOf(
  { history, oldest: oldestRevision }: FollowSources,
  { after, afterRevision, criteria, initial }: FollowInput,
  head: Head,
): Promise<FollowCursor> {
  if (after === null && afterRevision == null)
    return initial
      ? { phase: 'initial', revision: head.revision, filter: filterOf(criteria), after: null }
      : { phase: 'log', position: endOfRevision(head.revision) }
  const cursor: FollowCursor =
    after === null
      ? { phase: 'log', position: endOfRevision(knownRevision(afterRevision!, head)) }
      : readCursor(history.registryId, after)
  if (cursor.phase === 'initial' && cursor.filter !== filterOf(criteria)) {
    throw invalidFollowCursor(
      'it lies within the initial pages of another filter, so their rest would be missing. Resume it with its own filter, or start again without it.',
    )
  }
  const revision = cursor.phase === 'initial' ? cursor.revision : cursor.position.revision
  if (revision > head.revision) {
    throw invalidFollowCursor(
      `it belongs to revision ${revision}, and the registry is only at ${head.revision}. Start again without it.`,
    )
  }
  // Without history, the log reaches back beyond the only stored state. `log` itself throws COMPACTED.
  const oldest = history.hasHistory ? await oldestRevision() : 0
  if (revision < oldest) throw logCompactedError(revision, oldest)
  return cursor
}

async function versionAt(history: History, revision: number): Promise<number> {
  if (revision === 0) return 0
  const transition = (await history.transitions([revision])).get(revision)
  if (transition === undefined)
    throw invalidFollowCursor(`it belongs to revision ${revision}, which does not exist. Start again without it.`)
  return transition.to
}

/**
 * Yields the batches after a follower's position until the signal aborts.
 * @param indexKey - the index key of the follower's filter
 */
export async function* followLog(
  sources: FollowSources,
  follower: LogFollower,
  indexKey: IndexKey | null,
  signal: AbortSignal,
): AsyncGenerator<PositionedBatch, void, undefined> {
  const { pages, logTail, progressMs = PROGRESS_MS } = sources
  const subscription = logTail.join(indexKey)
  let unreportedSince: number | null = null
  try {
    if (follower.reachedTarget) logTail.readFrom(follower.position)
    while (!signal.aborted) {
      let page: LogPage | 'behind' | 'ahead' = follower.reachedTarget ? subscription.after(follower.position) : 'behind'
      if (page === 'ahead') {
        follower.skippable = subscription.skippable
        const { skipTo, isDue } = await subscription.advanced(
          signal,
          follower.owesEnd,
          unreportedSince === null ? null : unreportedSince + progressMs - performance.now(),
        )
        follower.skippable = null
        if (skipTo !== null) follower.skip(skipTo)
        if (isDue) unreportedSince ??= -Infinity
      } else {
        if (page === 'behind') {
          const read = await retryWhileUnavailable(signal, () => pages.read(follower.position))
          if (read === null) return
          page = restOfPage(read, candidateChanges(read, indexKey), follower.position)
        }
        const { position } = follower
        // Thousands of followers may be woken at once, each with a filter of its own.
        const nextSlice = pauseIfDue()
        if (nextSlice !== undefined) await nextSlice
        for (const batch of follower.take(page)) {
          if (batch !== null) {
            yield batch
            continue
          }
          const nextSlice = pauseIfDue()
          if (nextSlice !== undefined) await nextSlice
        }
        // A follower may have much to scan without ever waiting for I/O.
        await (follower.position === position ? pause(IDLE_PAGE_MS, signal) : yieldToEventLoop())
        if (follower.reachedTarget) logTail.readFrom(follower.position)
      }
      if (!follower.hasUnreported) unreportedSince = null
      else if ((unreportedSince ??= performance.now()) + progressMs <= performance.now()) {
        unreportedSince = null
        yield follower.progress()
      }
    }
  } finally {
    subscription.leave()
  }
}
