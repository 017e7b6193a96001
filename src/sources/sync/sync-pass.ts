import type { EntryId } from '../../core/entry/entry-id.js'
import type { Operation } from '../../core/ordering/operation.js'
import { pauseIfDue } from '../../store/coalescing/time-slices.js'
import type { EntryRecord, SourceRecords } from '../../store/contract/source-records.js'
import type { ScannedLocation, SourceReader } from '../contract/source-reader.js'
import { FailureList, failureAt } from '../forms/failure-list.js'
import type { LocationRecords } from './location-records.js'
import { PassBatches } from './pass-batches.js'
import { VisitedLocations } from './visited-locations.js'
import type { WriteOptions } from './write-source-batch.js'

export interface PassOptions extends WriteOptions {
  readonly reader: SourceReader
  readonly records: SourceRecords
  readonly locationRecords: LocationRecords
  readonly signal: AbortSignal
  /** Called with the number of scanned locations and of their definitions. */
  readonly progress: (locations: number, definitions: number) => void
}

export interface PassResult {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly version: number | null
  /** Number of definitions that were read. */
  readonly loaded: number
  readonly failures: FailureList
  /** The changes of a dry run. */
  readonly delta: readonly Operation[]
}

type Changed = Extract<ScannedLocation, { unchanged: false }>

/** @bound Locations that a pass compares with their records together. */
const GROUP_LOCATIONS = 500
/** @bound Definitions that a pass compares with the records together, unless one location has more. */
const GROUP_DEFINITIONS = 2_000
/** @bound Deleted locations whose entries are read together. */
const GONE_CHUNK = 1_000

/**
 * Scans a source and applies the changes. If several locations define an id, the first one in the reader's order counts.
 * A definition that has not changed is not applied again, even if the entry has changed in the registry.
 * @throws Error if the source as a whole cannot be read; batches applied until then stay
 */
export async function syncPass(options: PassOptions): Promise<PassResult> {
  const pass = new SyncPass(options)
  let group: Changed[] = []
  let definitions = 0
  for await (const scanned of options.reader.scan(
    (location) => options.locationRecords.get(location)?.stamp ?? undefined,
    options.signal,
  )) {
    options.signal.throwIfAborted()
    pass.visit(scanned)
    if (!scanned.unchanged) {
      group.push(scanned)
      definitions += scanned.entries.length
    }
    if (group.length >= GROUP_LOCATIONS || definitions >= GROUP_DEFINITIONS) {
      await pass.compare(group)
      group = []
      definitions = 0
    }
    const pause = pauseIfDue()
    if (pause !== undefined) await pause
  }
  options.signal.throwIfAborted()
  await pass.compare(group)
  return pass.finish()
}

interface DefinitionPlace {
  readonly location: string
  readonly line: number | null
}

class SyncPass {
  readonly #visited = new VisitedLocations()
  /** The place of each id that was read in this pass. */
  readonly #defined = new Map<EntryId, DefinitionPlace>()
  /** Ids that moved to an earlier location in this pass, by their recorded location, which is not scanned yet. */
  readonly #expectedOverlaps = new Map<string, EntryId[]>()
  /** Records whose location no longer defines them. Another location may. */
  readonly #orphans = new Map<EntryId, EntryRecord>()
  readonly #failures = new FailureList()
  readonly #batches: PassBatches
  #loaded = 0

  constructor(private readonly options: PassOptions) {
    this.#batches = new PassBatches({
      ...options,
      isVisited: (location) => this.#visited.has(location),
      onFailure: (failure) => {
        this.#failures.add(failure)
        if (this.#defined.has(failure.entryId as EntryId)) this.#loaded -= 1
      },
    })
  }

  visit(scanned: ScannedLocation): void {
    if (scanned.unchanged) {
      this.#visitUnchanged(scanned.location)
      for (const location of scanned.also ?? []) this.#visitUnchanged(location)
    } else {
      this.#visited.add(scanned.location, scanned.failures.length > 0 ? 'failed' : 'read')
    }
    this.options.progress(this.#visited.size, this.#loaded)
  }

  #visitUnchanged(location: string): void {
    this.#visited.add(location, 'unchanged')
    this.#loaded += this.options.locationRecords.get(location)?.entries ?? 0
    if (this.#expectedOverlaps.size === 0) return
    for (const id of this.#expectedOverlaps.get(location) ?? [])
      this.#reportDuplicate(location, id, shown(this.#defined.get(id)!))
  }

  /** Compares scanned locations, in order, with the records. */
  async compare(group: readonly Changed[]): Promise<void> {
    if (group.length === 0) return
    const {
      locationRecords,
      records,
      settings: { name },
    } = this.options
    const known = group
      .filter(({ location }) => locationRecords.get(location) !== undefined)
      .map(({ location }) => location)
    const ids = [...new Set(group.flatMap(({ entries }) => entries.map(({ id }) => id)))]
    const former = known.length === 0 ? [] : await records.entriesIn(name, known)
    const recorded = ids.length === 0 ? new Map<EntryId, EntryRecord>() : await records.entries(name, ids)
    const formerIds = new Map<string, EntryId[]>()
    for (const { id, location } of former) {
      const others = formerIds.get(location!)
      if (others === undefined) formerIds.set(location!, [id])
      else others.push(id)
    }
    for (const scanned of group) {
      this.#compareLocation(scanned, recorded, formerIds.get(scanned.location) ?? [])
      await this.#batches.applyIfFull()
    }
    for (const record of former) {
      if (this.#defined.get(record.id) === undefined && this.#visited.status(record.location!) === 'read')
        this.#orphans.set(record.id, record)
    }
  }

  #compareLocation(
    { location, stamp, modifiedAt, entries, failures }: Changed,
    recorded: ReadonlyMap<EntryId, EntryRecord>,
    formerIds: readonly EntryId[],
  ): void {
    for (const failure of failures) this.#failures.add(failure)
    let loaded = 0
    for (const { id, content, line } of entries) {
      const record = recorded.get(id)
      const first = this.#firstOf(id, { location, line }, record)
      if (first !== undefined) {
        this.#failures.add(failureAt(location, line, id, duplicateMessage(first)))
        continue
      }
      this.#defined.set(id, { location, line })
      loaded += 1
      if (record?.digest !== content.digest)
        this.#batches.current.add({ type: 'new', id, content, modifiedAt, location, line, record })
      else if (record.location !== location) this.#batches.current.notes.push({ ...record, location })
    }
    this.#loaded += loaded
    const failed = failures.length > 0 || loaded < entries.length
    const record = { location, stamp: failed ? null : stamp, entries: loaded }
    const ids = new Set(entries.map(({ id }) => id))
    if (failed || formerIds.every((id) => ids.has(id))) return this.#batches.current.locate(record)
    this.#batches.locateUnsettled(record)
  }

  /** The earlier place that defines an id; undefined if this one counts. */
  #firstOf(id: EntryId, here: DefinitionPlace, record: EntryRecord | undefined): string | undefined {
    const given = this.#defined.get(id)
    if (given !== undefined) return shown(given)
    const former = record?.location ?? null
    if (former === null || former === here.location) return undefined
    const status = this.#visited.status(former)
    if (status === undefined) {
      if (this.#visited.isBehindFailure(former)) return former
      this.#expectedOverlaps.set(former, [...(this.#expectedOverlaps.get(former) ?? []), id])
      this.#batches.rescanNextTime(former)
      return undefined
    }
    if (status === 'read') return undefined
    // Its earlier definitions still count, whether it is unchanged or cannot be read.
    if (this.#visited.isBefore(former, here.location)) return former
    if (status === 'unchanged') this.#reportDuplicate(former, id, shown(here))
    return undefined
  }

  /** An unchanged location has an id that an earlier location now defines too. */
  #reportDuplicate(location: string, id: EntryId, first: string): void {
    this.#failures.add(failureAt(location, null, id, duplicateMessage(first)))
    this.#loaded -= 1
    this.#batches.rescanNextTime(location)
  }

  async finish(): Promise<PassResult> {
    const {
      locationRecords,
      records,
      settings: { name, allowEmpty, missing },
    } = this.options
    const gone: string[] = []
    for (const location of locationRecords)
      if (!this.#visited.has(location) && !this.#visited.isBehindFailure(location)) gone.push(location)
    for (const location of gone) this.#batches.rescanNextTime(location)
    for (let from = 0; from < gone.length; from += GONE_CHUNK) {
      for (const record of await records.entriesIn(name, gone.slice(from, from + GONE_CHUNK)))
        this.#orphans.set(record.id, record)
    }
    const isEmpty = this.#loaded === 0 && this.#orphans.size > 0 && missing === 'delete' && !allowEmpty
    if (isEmpty) this.#keepAll()
    for (const [id, record] of this.#orphans) {
      if (this.#defined.has(id)) continue
      this.#batches.current.add({ type: 'gone', id, record })
      await this.#batches.applyIfFull()
    }
    await this.#batches.finish(gone, !isEmpty)
    return { ...this.#batches.done, loaded: this.#loaded, failures: this.#failures, delta: this.#batches.delta }
  }

  /** A folder that is not mounted and a list that turned empty look as if everything had been deleted on purpose. */
  #keepAll(): void {
    const { name } = this.options.settings
    const count = this.#orphans.size
    for (const { location } of this.#orphans.values())
      if (location !== null) this.#batches.current.locate({ location, stamp: null, entries: 0 })
    this.#orphans.clear()
    this.#failures.add(
      failureAt(
        name,
        null,
        null,
        `it defines nothing now, so ${count === 1 ? 'its entry is' : `its ${count} entries are`} kept as they were. ` +
          `If it is empty on purpose, run \`cadastre source reload ${name} --allow-empty\` or set allowEmpty: true`,
      ),
    )
  }
}

function shown({ location, line }: DefinitionPlace): string {
  return line === null ? location : `${location}:${line}`
}

function duplicateMessage(first: string): string {
  return `is already defined at ${first}, which counts`
}
