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

/** A batch to be sent: `ChangeBatch` with its place in the log instead of the written cursor. */
export interface PositionedBatch {
  readonly position: LogPosition
  readonly revision: number
  readonly version: number
  readonly changes: readonly Change[]
  readonly complete: boolean
  readonly synced: boolean
}

/**
 * Where one follower stands in the log and what it owes its client. Pure: pages of the log go in, batches
 * come out; reading and waiting are the caller's.
 */
export class LogFollower {
  /** Everything up to here has been scanned at. */
  position: LogPosition
  /** The head at the last revision that was scanned at to its end. */
  version: number
  synced = false
  /** While it waits and is passed by what does not concern it: how far. */
  passing: (() => SkipPoint | null) | null = null
  /** A part of this revision has been sent, so its end must be told, were there nothing more to see in it. */
  #owesEnd: boolean
  #sent: LogPosition

  constructor(
    start: { readonly position: LogPosition; readonly version: number },
    /** The head's revision when the stream began: having scanned at it to its end is being synced. */
    readonly target: number,
    private readonly matches: MatchEntry | null,
  ) {
    this.position = start.position
    this.version = start.version
    this.#sent = start.position
    this.#owesEnd = start.position.position !== Infinity
  }

  /** Whether revisions have been passed of which the client knows nothing. */
  get hasUntold(): boolean {
    return this.position.position === Infinity && this.position.revision > this.#sent.revision
  }

  /** Whether all is seen that the stream must show before it is synced. */
  get reachedTarget(): boolean {
    return this.position.position === Infinity && this.position.revision >= this.target
  }

  /** Up to where nothing is left that concerns it. */
  get scanned(): LogPosition {
    const passed = this.passing?.() ?? null
    return passed !== null && comparePositions(passed.position, this.position) > 0 ? passed.position : this.position
  }

  /** Whether the end of a revision must be told, whatever else is in it. */
  get owesEnd(): boolean {
    return this.#owesEnd
  }

  /** Nothing up to here concerns this follower, who owes no end. */
  skip({ position, version }: SkipPoint): void {
    if (comparePositions(position, this.position) <= 0) return
    this.position = position
    this.version = version
  }

  /**
   * The batches of a page that begins where this follower stands, each made when it is asked for. Changes that it can
   * not match may have been left out.
   */
  *take(page: LogPage): Generator<PositionedBatch> {
    let next = 0
    for (const transition of page.transitions) {
      const first = next
      while (next < page.changes.length && page.changes[next]!.revision === transition.revision) next++
      // Most of what a filter has nothing to do with; a page may be of a thousand revisions.
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

  /** An empty batch that says how far this follower is. */
  progress(): PositionedBatch {
    return this.#batch([], this.position, this.position.revision, this.version)
  }

  *#takeRevision(transition: Transition, all: readonly Change[], upTo: LogPosition): Generator<PositionedBatch> {
    const { matches } = this
    const changes =
      matches === null ? all : all.map((change) => filteredChange(change, matches)).filter((seen) => seen !== null)
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
    { revision: at, position: place }: LogPosition,
    revision: number,
    version: number,
  ): PositionedBatch {
    const complete = place === Infinity
    this.position = { revision: at, position: place }
    this.version = version
    this.#sent = this.position
    this.#owesEnd = !complete
    this.synced ||= complete && revision >= this.target
    return { position: this.position, revision, version, changes, complete, synced: this.synced }
  }
}

/** Cuts into parts of at most 500 changes and about 1 MiB. */
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
