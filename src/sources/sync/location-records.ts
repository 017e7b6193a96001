import type { LocationRecord, RecordChanges, SourceRecords } from '../../store/contract/source-records.js'

/** @bound Records saved in one statement. */
const CHUNK = 10_000

/**
 * The stored records of a source's locations, cached while this gateway reads the source. 80,000 of them take about
 * 20 MB, and comparing needs no query.
 */
export class LocationRecords {
  readonly #locations: Map<string, LocationRecord>

  private constructor(
    private readonly source: string,
    private readonly records: SourceRecords,
    locations: readonly LocationRecord[],
  ) {
    this.#locations = new Map(locations.map((record) => [record.location, record]))
  }

  static async open(source: string, records: SourceRecords): Promise<LocationRecords> {
    return new LocationRecords(source, records, await records.locations(source))
  }

  get(location: string): LocationRecord | undefined {
    return this.#locations.get(location)
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#locations.keys()
  }

  /** Marks all writes as recorded. @throws LeaseLost */
  endWrites(): Promise<void> {
    return this.records.endWrites(this.source)
  }

  /** Saves changes to the store, then to the cache. @throws LeaseLost */
  async save(changes: RecordChanges): Promise<void> {
    for (const piece of chunksOf(changes)) await this.records.save(this.source, piece)
    for (const location of changes.removedLocations) this.#locations.delete(location)
    for (const record of changes.locations) this.#locations.set(record.location, record)
  }
}

/** Entries come before locations, because a stamp means that all entries of the location are recorded. */
function* chunksOf({ entries, removedEntries, locations, removedLocations }: RecordChanges): Generator<RecordChanges> {
  const nothing: RecordChanges = { entries: [], removedEntries: [], locations: [], removedLocations: [] }
  for (let at = 0; at < entries.length; at += CHUNK) yield { ...nothing, entries: entries.slice(at, at + CHUNK) }
  for (let at = 0; at < removedEntries.length; at += CHUNK)
    yield { ...nothing, removedEntries: removedEntries.slice(at, at + CHUNK) }
  for (let at = 0; at < locations.length; at += CHUNK) yield { ...nothing, locations: locations.slice(at, at + CHUNK) }
  for (let at = 0; at < removedLocations.length; at += CHUNK)
    yield { ...nothing, removedLocations: removedLocations.slice(at, at + CHUNK) }
}
