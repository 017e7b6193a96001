import type { Operation } from '../../core/ordering/operation.js'
import type { LocationRecord } from '../../store/contract/source-records.js'
import type { SourceFailure } from '../contract/source-failure.js'
import { applySourceBatch } from './apply-source-batch.js'
import type { LocationRecords } from './location-records.js'
import { SourceBatch } from './source-batch.js'
import type { WriteOptions } from './write-source-batch.js'

/**
 * @bound New content in one changeset of a source, unless the configured limit is lower. The memory of a pass is a
 * small multiple of it.
 */
const BATCH_BYTES = 20 * 1024 * 1024
/**
 * @bound Operations in one changeset of a source, unless the configured limit is lower. Each takes about 5 kB of
 * memory. Readers wait up to a second while more are committed.
 */
const BATCH_OPERATIONS = 25_000

export interface PassBatchesOptions extends WriteOptions {
  readonly locationRecords: LocationRecords
  /** Whether this pass has scanned a location. */
  readonly isVisited: (location: string) => boolean
  readonly onFailure: (failure: SourceFailure) => void
}

/** The operations that a pass writes, batch after batch, and the counts of those already written. */
export class PassBatches {
  readonly delta: Operation[] = []
  readonly done = { created: 0, updated: 0, deleted: 0, version: null as number | null }
  /**
   * Records of locations that no longer define all of their entries. They are complete only once those are deleted, so
   * that a gateway that is killed before reads the location again.
   */
  readonly #unsettled = new Map<string, LocationRecord>()
  /** Deleted locations with an entry that could not be deleted. They stay recorded, to try again. */
  readonly #failedGone = new Set<string>()
  #batch = new SourceBatch()

  constructor(private readonly options: PassBatchesOptions) {}

  /** The batch that is being filled. */
  get current(): SourceBatch {
    return this.#batch
  }

  /** Records a location, but without its stamp until `settle`. */
  locateUnsettled(record: LocationRecord): void {
    this.#batch.locate({ ...record, stamp: null })
    this.#unsettled.set(record.location, record)
  }

  /** Makes the next pass read the location again. */
  rescanNextTime(location: string): void {
    const record = this.options.locationRecords.get(location)
    if (record !== undefined) this.#batch.locate({ ...record, stamp: null })
  }

  async applyIfFull(): Promise<void> {
    const { changesetBytes, changesetOperations } = this.options.limits
    const { bytes, intents } = this.#batch
    if (
      bytes >= Math.min(BATCH_BYTES, changesetBytes) ||
      intents.length >= Math.min(BATCH_OPERATIONS, changesetOperations)
    )
      await this.#apply()
  }

  /**
   * Applies the rest, then records the locations that are complete now.
   * @param gone - deleted locations, whose entries have been added
   * @param isComplete - false if entries that are no longer defined were kept
   */
  async finish(gone: readonly string[], isComplete: boolean): Promise<void> {
    if (isComplete)
      for (const location of gone) if (!this.#failedGone.has(location)) this.#batch.removedLocations.push(location)
    await this.#apply()
    if (isComplete) for (const record of this.#unsettled.values()) this.#batch.locate(record)
    await this.#apply()
  }

  async #apply(): Promise<void> {
    const batch = this.#batch
    this.#batch = new SourceBatch()
    if (batch.isEmpty) return
    const applied = await applySourceBatch(batch, this.options, this.options.locationRecords)
    this.done.created += applied.created
    this.done.updated += applied.updated
    this.done.deleted += applied.deleted
    this.done.version = applied.version ?? this.done.version
    for (const operation of applied.delta) this.delta.push(operation)
    for (const location of applied.failedLocations) {
      if (this.options.isVisited(location)) this.#unsettled.delete(location)
      else this.#failedGone.add(location)
    }
    applied.failures.forEach(this.options.onFailure)
  }
}
