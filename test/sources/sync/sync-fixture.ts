import { EVERYTHING } from '../../../src/core/criteria/criteria.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { SourceReader } from '../../../src/sources/contract/source-reader.js'
import type { SourceSettings } from '../../../src/sources/contract/source-settings.js'
import type { LocationRecords } from '../../../src/sources/sync/location-records.js'
import { openLocationRecords } from '../../../src/sources/sync/open-location-records.js'
import { type PassResult, syncPass } from '../../../src/sources/sync/sync-pass.js'
import type { MapSource } from './map-source.js'

const LIMITS = { changesetOperations: 100_000, changesetBytes: 64 * 1024 * 1024 }

/** One source over a registry. A test starts each pass. */
export class TestSource<Reader extends SourceReader = MapSource> {
  readonly settings: SourceSettings
  limits = LIMITS
  #locationRecords: LocationRecords | undefined

  constructor(
    readonly registry: Registry,
    readonly reader: Reader,
    settings: Partial<SourceSettings> = {},
  ) {
    this.settings = {
      name: 'app',
      provider: 'memory',
      watch: false,
      missing: 'delete',
      conflict: 'source',
      allowEmpty: true,
      ...settings,
    }
  }

  /** Drops the cached records, like a restart of the gateway. */
  forget(): void {
    this.#locationRecords = undefined
  }

  async sync(options: { dryRun?: boolean } = {}): Promise<PassResult> {
    const { registry, reader, settings, limits } = this
    const records = registry.history.sources
    await records.acquireLeases([settings.name], 60_000)
    this.#locationRecords ??= await openLocationRecords(settings.name, registry.history)
    return syncPass({
      settings,
      registry,
      limits,
      dryRun: false,
      records,
      locationRecords: this.#locationRecords,
      signal: new AbortController().signal,
      progress: () => undefined,
      reader,
      aboutToWrite: () => records.beginWrites(settings.name),
      ...options,
    })
  }

  /** The data of all entries by id. */
  async data(): Promise<Record<string, unknown>> {
    const { items } = await this.registry.history.findEntries(
      EVERYTHING,
      'ID_ASC',
      { limit: 10_000, after: null, before: null, fromEnd: false },
      'head',
    )
    return Object.fromEntries(items.map(({ id, content }) => [id, content.data]))
  }

  async owned(): Promise<readonly string[]> {
    return (
      await this.registry.history.sources.ownedPage(this.settings.name, {
        limit: 10_000,
        after: null,
        before: null,
        fromEnd: false,
      })
    ).items
  }
}

/** The counts of a pass: `[created, updated, deleted]`. */
export function counts({ created, updated, deleted }: PassResult): number[] {
  return [created, updated, deleted]
}

export function reported({ failures }: PassResult): string[] {
  return failures.shown.map(
    ({ file, line, entryId, message }) =>
      `${[file, line].filter((part) => part !== null).join(':')} ${entryId ?? '-'} ${message}`,
  )
}
