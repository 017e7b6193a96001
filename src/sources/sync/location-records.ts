import type { LocationRecord, RecordChanges, SourceRecords } from '../../store/contract/source-records.js'

/** Records written down in one statement. */
const CHUNK = 10_000

/**
 * What is recorded of a source's locations, in memory for as long as this gateway reads the source: 80,000 of them take
 * about 20 MB, and comparing needs no query then.
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

  /** All that was written is recorded. @throws LeaseLost */
  settle(): Promise<void> {
    return this.records.endWrites(this.source)
  }

  /** Writes it down, then here. @throws LeaseLost */
  async save(changes: RecordChanges): Promise<void> {
    for (const piece of cut(changes)) await this.records.save(this.source, piece)
    for (const location of changes.removedLocations) this.#locations.delete(location)
    for (const record of changes.locations) this.#locations.set(record.location, record)
  }
}

/** Entries before locations: a stamp says that all of its entries are recorded. */
function* cut({ entries, removedEntries, locations, removedLocations }: RecordChanges): Generator<RecordChanges> {
  const nothing: RecordChanges = { entries: [], removedEntries: [], locations: [], removedLocations: [] }
  for (let at = 0; at < entries.length; at += CHUNK) yield { ...nothing, entries: entries.slice(at, at + CHUNK) }
  for (let at = 0; at < removedEntries.length; at += CHUNK)
    yield { ...nothing, removedEntries: removedEntries.slice(at, at + CHUNK) }
  for (let at = 0; at < locations.length; at += CHUNK) yield { ...nothing, locations: locations.slice(at, at + CHUNK) }
  for (let at = 0; at < removedLocations.length; at += CHUNK)
    yield { ...nothing, removedLocations: removedLocations.slice(at, at + CHUNK) }
}
