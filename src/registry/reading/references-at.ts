import {
  compareTargets,
  type ExtractReferences,
  type ReferenceTarget,
  targetKey,
} from '../../core/dependency/reference.js'
import { compareEntryIds } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { inSlices, pauseIfDue } from '../../store/coalescing/time-slices.js'
import type { HistoryReader, ReferenceRow } from '../../store/contract/history-reader.js'

/** @bound Changes since an old revision up to which its dependents are computed. */
const MAX_CHANGES_SINCE = 20_000
/** Entries whose contents are in memory at a time. */
const ENTRIES_AT_ONCE = 500

/**
 * Finds references at one revision. The store's index covers the head. For entries that changed since, the contents at
 * that revision are read instead. The cost is that of the head and of the changes since. The result stays correct while
 * the head moves.
 */
export class ReferencesAt {
  /** References at that revision of the entries that changed since. */
  readonly #changed = new Map<string, ReferenceRow[]>()
  readonly #changedIds = new Set<string>()
  /** Revision up to which changes are known. */
  #knownThrough: number

  constructor(
    private readonly history: HistoryReader,
    private readonly references: ExtractReferences,
    private readonly revision: number,
  ) {
    this.#knownThrough = revision
  }

  /**
   * Returns at most `limit` references that name exactly one of these targets, by target, source and place.
   * @throws RegistryError TOO_LARGE if too much changed since
   */
  async to(targets: readonly ReferenceTarget[], limit: number): Promise<readonly ReferenceRow[]> {
    const indexed = await this.history.referencesTo(targets, this.revision, limit)
    // Read after the index, so that a change that arrives meanwhile replaces what the index returned.
    await this.#readChanges()
    if (this.#changedIds.size === 0) return indexed
    const changed = targets.flatMap((target) => this.#changed.get(targetKey(target)) ?? [])
    return [...indexed.filter(({ source }) => !this.#changedIds.has(source)), ...changed]
      .sort(compareRows)
      .slice(0, limit)
  }

  async #readChanges(): Promise<void> {
    if (!this.history.hasHistory) return
    const { revision: head } = await this.history.head()
    if (head === this.#knownThrough) return
    const ids = await this.history.changedSince(this.#knownThrough, MAX_CHANGES_SINCE)
    if (ids === null || this.#changedIds.size + ids.length > MAX_CHANGES_SINCE) throw changedTooMuch(this.revision)
    this.#knownThrough = head
    const fresh = ids.filter((id) => !this.#changedIds.has(id))
    for (const id of fresh) this.#changedIds.add(id)
    for (let i = 0; i < fresh.length; i += ENTRIES_AT_ONCE) {
      const entries = await this.history.entries(fresh.slice(i, i + ENTRIES_AT_ONCE), this.revision)
      for (const [source, { content }] of entries) {
        for (const reference of await inSlices(this.references.inSteps(source, content)))
          this.#add({ source, ...reference })
        const pause = pauseIfDue()
        if (pause !== undefined) await pause
      }
    }
  }

  #add(row: ReferenceRow): void {
    const key = targetKey(row.target)
    const rows = this.#changed.get(key)
    if (rows === undefined) this.#changed.set(key, [row])
    else rows.push(row)
  }
}

function compareRows(a: ReferenceRow, b: ReferenceRow): number {
  return compareTargets(a.target, b.target) || compareEntryIds(a.source, b.source) || compareText(a.path, b.path)
}

function changedTooMuch(revision: number): RegistryError {
  const message =
    `More than ${MAX_CHANGES_SINCE} changes were made after revision ${revision}, so its dependents are not known. ` +
    'Request DEPENDENCIES, or a newer revision.'
  return new RegistryError('TOO_LARGE', message, { revision })
}
