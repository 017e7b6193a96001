import type { Compaction, CompactRequest, HistoryCompactor } from '../contract/history.js'
import { compactedError } from '../planning/compacted-errors.js'
import { type CompactionState, planCompaction } from '../planning/plan-compaction.js'
import { type Baseline, sumText } from '../verify/baseline.js'
import type { StoredHistory, StoredVersion } from '../verify/stored-history.js'
import { measureBaseline } from '../verify/verify-history.js'
import type { MemoryLog } from './memory-log.js'

/** Compacts the history before a revision in one step. */
export class MemoryCompaction implements HistoryCompactor {
  baseline: Baseline | null = null
  /** State sums by version. */
  readonly #states = new Map<number, string>()

  constructor(
    private readonly log: MemoryLog,
    private readonly stored: () => StoredHistory,
    private readonly lowestTag: () => CompactionState['lowestTag'],
  ) {}

  get oldest(): number {
    return this.baseline?.revision ?? 0
  }

  /** @throws RegistryError COMPACTED */
  check(revision: number): void {
    if (revision < this.oldest) throw compactedError(revision, this.oldest)
  }

  *versions(): Generator<StoredVersion> {
    for (const version of this.log.versions) {
      yield { ...version, hasChangeset: version.changeset !== null, state: this.#states.get(version.number) ?? null }
    }
  }

  async compact({ before, dryRun }: CompactRequest): Promise<Compaction> {
    if (!planCompaction({ before }, this.#state)) return { oldestRevision: this.oldest, versions: 0, changes: 0 }
    if (dryRun) return this.#compactionOf(before)
    const { baseline, sums } = await measureBaseline(this.stored(), before)
    // Another request may have written, tagged or compacted in the meantime.
    if (!planCompaction({ before }, this.#state)) return { oldestRevision: this.oldest, versions: 0, changes: 0 }
    const compaction = this.#compactionOf(before)
    this.baseline = { ...baseline, removed: true }
    this.#states.clear()
    for (const number of this.#headsSince(before)) this.#states.set(number, sumText(sums.get(number)!))
    this.log.squashBefore(before)
    return { ...compaction, oldestRevision: before }
  }

  get #state(): CompactionState {
    return { headRevision: this.log.revision, oldestRevision: this.oldest, lowestTag: this.lowestTag() }
  }

  #compactionOf(before: number): Compaction {
    const { oldest, log } = this
    const gone = log.transitions.slice(Math.max(0, oldest - 1), before - 1)
    return {
      oldestRevision: oldest,
      versions: log.versions.filter(({ number, revision }) => number > 0 && revision >= oldest && revision < before)
        .length,
      changes: gone.reduce((sum, { changeCount }) => sum + changeCount, 0),
    }
  }

  /** The versions below a revision that were the head just before it, or have been applied again since. */
  #headsSince(before: number): Set<number> {
    const { versions, transitions } = this.log
    return new Set(
      transitions
        .slice(Math.max(0, before - 2))
        .map(({ to }) => to)
        .filter((to) => to > 0 && versions[to]!.revision < before),
    )
  }
}
