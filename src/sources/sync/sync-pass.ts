import type { EntryId } from '../../core/entry/entry-id.js'
import type { Operation } from '../../core/ordering/operation.js'
import { timeSlicer } from '../../registry/async/pause.js'
import type { EntryRecord, SourceRecords } from '../../store/contract/source-records.js'
import type { ScannedLocation, SourceReader } from '../contract/source-reader.js'
import { FailureList, failureAt } from '../forms/failure-list.js'
import { applySourceBatch } from './apply-source-batch.js'
import type { LocationRecords } from './location-records.js'
import { SourceBatch } from './source-batch.js'
import type { WriteOptions } from './write-source-batch.js'

export interface PassOptions extends WriteOptions {
  readonly reader: SourceReader
  readonly records: SourceRecords
  readonly book: LocationRecords
  readonly signal: AbortSignal
  /** Hears how many locations have been looked at, and how many definitions they have. */
  readonly progress: (locations: number, definitions: number) => void
}

export interface PassResult {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly version: number | null
  /** Definitions that are there and could be read. */
  readonly loaded: number
  readonly failures: FailureList
  /** Of a dry run: what would have been changed. */
  readonly delta: readonly Operation[]
}

type Changed = Extract<ScannedLocation, { unchanged: false }>
const STATUSES = ['unchanged', 'read', 'failed'] as const
type Status = (typeof STATUSES)[number]

/** Locations are compared with the records in groups of so many, or of so many definitions. */
const GROUP_LOCATIONS = 500
const GROUP_DEFINITIONS = 2_000
/**
 * @bound New content in one changeset of a source, unless the configured limit is lower. The memory of a pass is a
 * small multiple of it.
 */
const BATCH_BYTES = 20 * 1024 * 1024
/**
 * @bound Operations in one changeset of a source, unless the configured limit is lower. Each takes about 5 kB on its
 * way. Readers wait up to a second while more are committed.
 */
const BATCH_OPERATIONS = 25_000
/** Locations that have gone, whose entries are asked for together. */
const GONE_CHUNK = 1_000

/**
 * One look at a source, brought into the registry. Of an id that several locations define the first counts, in the
 * reader's order. What is not new is not looked at again, whatever the registry holds by now.
 * @throws Error where the source as a whole cannot be read; what was taken over until then stays
 */
export async function syncPass(options: PassOptions): Promise<PassResult> {
  const pass = new SyncPass(options)
  let group: Changed[] = []
  let definitions = 0
  const breath = timeSlicer()
  for await (const scanned of options.reader.scan(
    (location) => options.book.get(location)?.stamp ?? undefined,
    options.signal,
  )) {
    options.signal.throwIfAborted()
    pass.see(scanned)
    if (!scanned.unchanged) {
      group.push(scanned)
      definitions += scanned.entries.length
    }
    if (group.length >= GROUP_LOCATIONS || definitions >= GROUP_DEFINITIONS) {
      await pass.compare(group)
      group = []
      definitions = 0
    }
    const pause = breath()
    if (pause !== undefined) await pause
  }
  options.signal.throwIfAborted()
  await pass.compare(group)
  return pass.finish()
}

interface Place {
  readonly location: string
  readonly line: number | null
}

class SyncPass {
  /** In which order, and with what status: as one number, as there is one for every location. */
  readonly #seen = new Map<string, number>()
  /** Where each id was defined by what was read in this pass. */
  readonly #given = new Map<EntryId, Place>()
  /** Ids that were first defined elsewhere in this pass, by the location that had them, which is yet to come. */
  readonly #claimed = new Map<string, EntryId[]>()
  /** Records whose location does not define them any more; another may. */
  readonly #orphans = new Map<EntryId, EntryRecord>()
  readonly #failures = new FailureList()
  readonly #delta: Operation[] = []
  readonly #done = { created: 0, updated: 0, deleted: 0, version: null as number | null }
  /** Something that they gave could not be deleted: they stay known, so that it is tried again. */
  readonly #failedGone = new Set<string>()
  #batch = new SourceBatch()
  #loaded = 0

  constructor(private readonly options: PassOptions) {}

  see(scanned: ScannedLocation): void {
    if (scanned.unchanged) {
      this.#seeUnchanged(scanned.location)
      for (const location of scanned.also ?? []) this.#seeUnchanged(location)
    } else {
      this.#note(scanned.location, scanned.failures.length > 0 ? 'failed' : 'read')
    }
    this.options.progress(this.#seen.size, this.#loaded)
  }

  #seeUnchanged(location: string): void {
    this.#note(location, 'unchanged')
    this.#loaded += this.options.book.get(location)?.entries ?? 0
    if (this.#claimed.size === 0) return
    for (const id of this.#claimed.get(location) ?? []) this.#overlap(location, id, shown(this.#given.get(id)!))
  }

  #note(location: string, status: Status): void {
    this.#seen.set(location, this.#seen.size * STATUSES.length + STATUSES.indexOf(status))
  }

  #statusOf(location: string): Status | undefined {
    const seen = this.#seen.get(location)
    return seen === undefined ? undefined : STATUSES[seen % STATUSES.length]
  }

  /** Holds locations that were read, in order, against what is recorded. */
  async compare(group: readonly Changed[]): Promise<void> {
    if (group.length === 0) return
    const {
      book,
      records,
      settings: { name },
    } = this.options
    const known = group.filter(({ location }) => book.get(location) !== undefined).map(({ location }) => location)
    const ids = [...new Set(group.flatMap(({ entries }) => entries.map(({ id }) => id)))]
    const former = known.length === 0 ? [] : await records.entriesIn(name, known)
    const recorded = ids.length === 0 ? new Map<EntryId, EntryRecord>() : await records.entries(name, ids)
    for (const scanned of group) {
      this.#compareOne(scanned, recorded)
      if (this.#batch.bytes >= this.#batchBytes || this.#batch.intents.length >= this.#batchOperations)
        await this.#flush()
    }
    for (const record of former) {
      if (this.#given.get(record.id) === undefined && this.#statusOf(record.location!) === 'read')
        this.#orphans.set(record.id, record)
    }
  }

  #compareOne(
    { location, stamp, modifiedAt, entries, failures }: Changed,
    recorded: ReadonlyMap<EntryId, EntryRecord>,
  ): void {
    for (const failure of failures) this.#failures.add(failure)
    let loaded = 0
    for (const { id, content, line } of entries) {
      const record = recorded.get(id)
      const first = this.#firstOf(id, { location, line }, record)
      if (first !== undefined) {
        this.#failures.add(failureAt(location, line, id, secondTime(first)))
        continue
      }
      this.#given.set(id, { location, line })
      loaded += 1
      if (record?.digest !== content.digest)
        this.#batch.add({ type: 'new', id, content, modifiedAt, location, line, record })
      else if (record.location !== location) this.#batch.notes.push({ ...record, location })
    }
    this.#loaded += loaded
    const failed = failures.length > 0 || loaded < entries.length
    this.#batch.locate({ location, stamp: failed ? null : stamp, entries: loaded })
  }

  /** Where an id is defined before it is here; undefined where it counts here. */
  #firstOf(id: EntryId, here: Place, record: EntryRecord | undefined): string | undefined {
    const given = this.#given.get(id)
    if (given !== undefined) return shown(given)
    const former = record?.location ?? null
    if (former === null || former === here.location) return undefined
    const seen = this.#seen.get(former)
    if (seen === undefined) {
      if (this.#isBehindFailure(former)) return former
      this.#claimed.set(former, [...(this.#claimed.get(former) ?? []), id])
      this.#mistrust(former)
      return undefined
    }
    const status = this.#statusOf(former)
    if (status === 'read') return undefined
    // What it gave before still holds, whether it is unchanged or cannot be read just now.
    if (seen < this.#seen.get(here.location)!) return former
    if (status === 'unchanged') this.#overlap(former, id, shown(here))
    return undefined
  }

  /** A location that was not read again has an id that one before it has too by now. */
  #overlap(location: string, id: EntryId, first: string): void {
    this.#failures.add(failureAt(location, null, id, secondTime(first)))
    this.#loaded -= 1
    this.#mistrust(location)
  }

  /** It is read again next time. */
  #mistrust(location: string): void {
    const record = this.options.book.get(location)
    if (record !== undefined) this.#batch.locate({ ...record, stamp: null })
  }

  /** `x.zip!/a.yaml` where `x.zip` could not be read, `folder/a.yaml` where `folder` could not. */
  #isBehindFailure(location: string): boolean {
    for (let end = location.length; end > 0; end = location.lastIndexOf('/', end - 1)) {
      const above = location.slice(0, end)
      if (this.#statusOf(above.endsWith('!') ? above.slice(0, -1) : above) === 'failed') return true
    }
    return false
  }

  async finish(): Promise<PassResult> {
    const {
      book,
      records,
      settings: { name },
    } = this.options
    const gone: string[] = []
    for (const location of book) if (!this.#seen.has(location) && !this.#isBehindFailure(location)) gone.push(location)
    for (const location of gone) this.#mistrust(location)
    for (let from = 0; from < gone.length; from += GONE_CHUNK) {
      for (const record of await records.entriesIn(name, gone.slice(from, from + GONE_CHUNK)))
        this.#orphans.set(record.id, record)
    }
    for (const [id, record] of this.#orphans) {
      if (this.#given.has(id)) continue
      this.#batch.add({ type: 'gone', id, record })
      if (this.#batch.intents.length >= this.#batchOperations) await this.#flush()
    }
    for (const location of gone) if (!this.#failedGone.has(location)) this.#batch.removedLocations.push(location)
    await this.#flush()
    return { ...this.#done, loaded: this.#loaded, failures: this.#failures, delta: this.#delta }
  }

  get #batchBytes(): number {
    return Math.min(BATCH_BYTES, this.options.limits.changesetBytes)
  }

  get #batchOperations(): number {
    return Math.min(BATCH_OPERATIONS, this.options.limits.changesetOperations)
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = new SourceBatch()
    if (batch.isEmpty) return
    const taken = await applySourceBatch(batch, this.options, this.options.book)
    this.#done.created += taken.created
    this.#done.updated += taken.updated
    this.#done.deleted += taken.deleted
    this.#done.version = taken.version ?? this.#done.version
    for (const operation of taken.delta) this.#delta.push(operation)
    for (const location of taken.failedLocations) if (!this.#seen.has(location)) this.#failedGone.add(location)
    for (const failure of taken.failures) {
      this.#failures.add(failure)
      if (this.#given.has(failure.entryId as EntryId)) this.#loaded -= 1
    }
  }
}

function shown({ location, line }: Place): string {
  return line === null ? location : `${location}:${line}`
}

function secondTime(first: string): string {
  return `defined a second time; ${first} has it first and counts`
}
