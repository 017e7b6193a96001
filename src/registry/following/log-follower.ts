import type { Change } from '../../core/history/change.js'
import type { Transition } from '../../core/history/version.js'
import type { LogPage, LogPosition } from '../../store/contract/history-reader.js'
import { changeBytes } from '../../store/planning/content-size.js'
import { filteredChange, type MatchEntry } from './filtered-change.js'
import type { SkipPoint } from './follower-index.js'
import { comparePositions, endOfRevision } from './log-position.js'

/** @bound Changes in one batch of a stream. */
const BATCH_CHANGES = 500
/** @bound Size of one batch of a stream, unless a single change is larger. */
const BATCH_BYTES = 1024 * 1024

/** Revisions that are scanned, and changes that are compared with a filter, between two pauses. */
const REVISIONS_AT_ONCE = 64
const CHANGES_AT_ONCE = 4

/** A `ChangeBatch` with its position in the log instead of a cursor. */
export interface PositionedBatch {
  readonly position: LogPosition
  readonly revision: number
  readonly version: number
  readonly changes: readonly Change[]
  readonly complete: boolean
  readonly synced: boolean
}

/**
 * Position of one follower in the log, and the batches that it still has to send. It does no I/O: pages of the log go in and batches come out. The
 * caller reads and waits.
 */
export class LogFollower {
  /** Everything up to here has been scanned. */
  position: LogPosition
  /** The head at the last revision that was scanned to its end. */
  version: number
  synced = false
  /** Set while the follower waits. Returns the point to which it may skip. */
  skippable: (() => SkipPoint | null) | null = null
  /** A part of this revision was sent, so a later batch has to complete it, if need be an empty one. */
  #owesEnd: boolean
  #sent: LogPosition

  constructor(
    start: { readonly position: LogPosition; readonly version: number },
    /** The head's revision when the stream began. A stream that has scanned it to its end is synced. */
    readonly target: number,
    private readonly matches: MatchEntry | null,
  ) {
    this.position = start.position
    this.version = start.version
    this.#sent = start.position
    this.#owesEnd = start.position.position !== Infinity
  }

  /** Whether revisions were scanned that the client does not know about yet. */
  get hasUnreported(): boolean {
    return this.position.position === Infinity && this.position.revision > this.#sent.revision
  }

  /** Whether everything before `synced` has been scanned. */
  get reachedTarget(): boolean {
    return this.position.position === Infinity && this.position.revision >= this.target
  }

  /** The position before which nothing is left that concerns the follower. */
  get scanned(): LogPosition {
    const skipTo = this.skippable?.() ?? null
    return skipTo !== null && comparePositions(skipTo.position, this.position) > 0 ? skipTo.position : this.position
  }

  /** Whether a batch has to complete the current revision. */
  get owesEnd(): boolean {
    return this.#owesEnd
  }

  /**
   * Moves to a position before which nothing concerns the follower. Allowed only if no revision has to be completed.
   */
  skip({ position, version }: SkipPoint): void {
    if (comparePositions(position, this.position) <= 0) return
    this.position = position
    this.version = version
  }

  /**
   * Yields the batches of a page that begins at the follower's position. Changes that cannot match may be missing from
   * the page. Yields null where it may pause, because a filter may take long for each change.
   */
  *take(page: LogPage): Generator<PositionedBatch | null> {
    let next = 0
    for (const [i, transition] of page.transitions.entries()) {
      if (i % REVISIONS_AT_ONCE === REVISIONS_AT_ONCE - 1) yield null
      const first = next
      while (next < page.changes.length && page.changes[next]!.revision === transition.revision) next++
      // Fast path for revisions without a match: a page may have a thousand of them.
      if (
        next === first &&
        this.matches !== null &&
        !this.#owesEnd &&
        (this.synced || transition.revision < this.target)
      ) {
        this.version = transition.to
        continue
      }
      const ended = page.upTo.revision > transition.revision || page.upTo.position === Infinity
      yield* this.#takeRevision(
        transition,
        page.changes.slice(first, next),
        ended ? endOfRevision(transition.revision) : page.upTo,
      )
    }
    this.position = page.upTo
  }

  /** Makes an empty batch that moves the client's cursor. */
  progress(): PositionedBatch {
    return this.#batch([], this.position, this.position.revision, this.version)
  }

  *#takeRevision(transition: Transition, all: readonly Change[], upTo: LogPosition): Generator<PositionedBatch | null> {
    const { matches } = this
    const changes = matches === null ? all : yield* matchingChanges(all, matches)
    const parts = [...splitIntoBatches(changes)]
    const last = parts.pop() ?? []
    for (const part of parts) yield this.#batch(part, part.at(-1)!, transition.revision, transition.to)
    const ends = upTo.position === Infinity
    const reaches = ends && !this.synced && transition.revision >= this.target
    if (last.length > 0 || (ends && (matches === null || this.#owesEnd || reaches))) {
      yield this.#batch(last, upTo, transition.revision, transition.to)
    } else {
      this.position = upTo
      if (ends) this.version = transition.to
    }
  }

  #batch(
    changes: readonly Change[],
    { revision: at, position: atPosition }: LogPosition,
    revision: number,
    version: number,
  ): PositionedBatch {
    const complete = atPosition === Infinity
    this.position = { revision: at, position: atPosition }
    this.version = version
    this.#sent = this.position
    this.#owesEnd = !complete
    this.synced ||= complete && revision >= this.target
    return { position: this.position, revision, version, changes, complete, synced: this.synced }
  }
}

function* matchingChanges(all: readonly Change[], matches: MatchEntry): Generator<null, readonly Change[]> {
  const changes: Change[] = []
  for (const [i, change] of all.entries()) {
    if (i % CHANGES_AT_ONCE === CHANGES_AT_ONCE - 1) yield null
    const seen = filteredChange(change, matches)
    if (seen !== null) changes.push(seen)
  }
  return changes
}

/** Cuts changes into batches of at most 500 changes and about 1 MiB. */
export function* splitIntoBatches(changes: readonly Change[]): Generator<readonly Change[]> {
  let from = 0
  let bytes = 0
  for (let i = 0; i < changes.length; i++) {
    bytes += changeBytes(changes[i]!)
    if (i > from && (i - from >= BATCH_CHANGES || bytes > BATCH_BYTES)) {
      yield changes.slice(from, i)
      from = i
      bytes = changeBytes(changes[i]!)
    }
  }
  if (from < changes.length) yield changes.slice(from)
}
