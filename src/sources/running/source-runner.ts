import type { Operation } from '../../core/ordering/operation.js'
import { pause } from '../../registry/async/pause.js'
import { isTransient } from '../../registry/async/retry-while-unavailable.js'
import type { Registry } from '../../registry/registry.js'
import { LeaseLost, type ReloadRequest } from '../../store/contract/source-records.js'
import type { SourceReader } from '../contract/source-reader.js'
import type { SourceSettings } from '../contract/source-settings.js'
import { failureAt } from '../forms/failure-list.js'
import { LocationRecords } from '../sync/location-records.js'
import { openLocationRecords } from '../sync/open-location-records.js'
import { type PassResult, syncPass } from '../sync/sync-pass.js'
import type { WriteLimits } from '../sync/write-source-batch.js'
import { Debounce } from './debounce.js'
import type { ReloadReport, SourceState } from './source-state.js'
import { type SourceNotice, StatusReporter } from './status-reporter.js'

export interface ConfiguredSource extends SourceSettings {
  /** Opens the reader. Called again if it failed. */
  readonly open: () => SourceReader | Promise<SourceReader>
}

export interface RunnerContext {
  readonly registry: Registry
  readonly limits: WriteLimits
  readonly notify: (news: SourceNotice) => void
  readonly leaseMs: number
}

/** First and longest delay before a source that cannot be read is retried. */
const RETRY_MS = { first: 1_000, longest: 60_000 } as const
/** A scan that takes longer is shown as LOADING. Most scans find at once that nothing has changed. */
const SHOWN_AFTER_MS = 300
/** @bound Ids of reload requests that are stored to recognize them again. */
const MAX_SEEN_REQUESTS = 1_000

/** The changes that a reload would make. */
export interface SourcePlan extends ReloadReport {
  readonly delta: readonly Operation[]
}

/**
 * Runs one source at one gateway. While this gateway holds the source's lease, it watches the source and applies it,
 * one pass at a time. A dry run takes place between two passes.
 */
export class SourceRunner {
  readonly #debounce = new Debounce()
  #term = 0
  #reader: Promise<SourceReader> | undefined
  #records: LocationRecords | undefined
  #holding: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined
  /** Passes run one at a time. */
  #queue: Promise<unknown> = Promise.resolve()
  #failures = 0
  readonly #status: StatusReporter
  /** Reload requests that a pass has picked up, oldest first, and those that wait for the next pass. */
  readonly #seenRequests = new Set<string>()
  readonly #waitingRequests = new Set<string>()

  constructor(
    readonly settings: ConfiguredSource,
    private readonly context: RunnerContext,
  ) {
    this.#status = new StatusReporter(settings, context)
  }

  get isHeld(): boolean {
    return this.#holding !== undefined
  }

  /** This gateway holds the lease. In a new term the cached records may be outdated by another gateway. */
  claim(term: number): void {
    if (term !== this.#term) this.#records = undefined
    this.#term = term
    if (this.#holding !== undefined) return
    const stop = new AbortController()
    this.context.notify({ source: this.settings.name, what: 'claimed' })
    this.#records = undefined
    this.#debounce.flush()
    this.#holding = { stop, ended: this.#run(stop.signal) }
  }

  /** Stops reading, because another gateway may hold the lease. Resolves when no pass is in flight. */
  async release(): Promise<void> {
    const holding = this.#holding
    if (holding === undefined) return
    this.#holding = undefined
    holding.stop.abort(new LeaseLost(this.settings.name))
    await holding.ended
    this.context.notify({ source: this.settings.name, what: 'released' })
  }

  /** Runs a pass for a reload request. A request that a pass already picked up stays listed until it is answered. */
  requestReload(request: string): void {
    if (this.#seenRequests.has(request)) return
    this.#waitingRequests.add(request)
    this.#debounce.flush()
  }

  /** A dry run of a reload, including the participants. It needs no lease. */
  plan(allowEmpty: boolean, signal: AbortSignal): Promise<SourcePlan> {
    return this.#enqueue(async () => {
      const locationRecords = await LocationRecords.open(this.settings.name, this.context.registry.history.sources)
      const result = await this.#runPass(locationRecords, signal, true, allowEmpty, () => {})
      return { ...reportOf(result), delta: result.delta }
    })
  }

  async close(): Promise<void> {
    await this.release()
    await this.#queue.catch(() => {})
    await (await this.#reader?.catch(() => undefined))?.close()
  }

  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.catch(() => {}).then(work)
    this.#queue = result
    return result
  }

  async #run(signal: AbortSignal): Promise<void> {
    const watching = this.settings.watch ? this.#watch(signal) : Promise.resolve()
    while (!signal.aborted) {
      await this.#debounce.due(signal)
      if (signal.aborted) break
      await this.#enqueue(() => this.#load(signal))
    }
    await watching
  }

  async #watch(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const reader = await this.#open()
        if (reader.watch === undefined) return
        await reader.watch(() => this.#debounce.touch(), signal)
        // A watch may resolve as soon as it has started. It reports only changes from then on, so a first scan is
        // needed.
        if (!signal.aborted) this.#debounce.touch()
        return
      } catch (error) {
        if (signal.aborted) return
        this.context.notify({ source: this.settings.name, what: 'unwatched', error: error as Error })
        await pause(retryDelay(failures), signal)
      }
    }
  }

  #open(): Promise<SourceReader> {
    this.#reader ??= Promise.resolve()
      .then(() => this.settings.open())
      .catch((error: unknown) => {
        this.#reader = undefined
        throw error
      })
    return this.#reader
  }

  /** Runs one pass and reports it to clients. Never throws. */
  async #load(signal: AbortSignal): Promise<void> {
    const { name } = this.settings
    const records = this.context.registry.history.sources
    let showing: NodeJS.Timeout | undefined
    try {
      const requests = await this.#collectRequests()
      const before = await this.#status.read()
      const show = () => this.#status.showLoading(before)
      if (before.reloadCount === 0) show()
      else showing = setTimeout(show, SHOWN_AFTER_MS)
      const allowEmpty = requests.some((request) => request.allowEmpty)
      const result = await this.#tryPass(before, allowEmpty, signal)
      clearTimeout(showing)
      if (result instanceof Error) {
        await this.#status.reportFailed(before, result)
        await records.answerReloads(
          requests,
          JSON.stringify({ ...NOTHING, failures: [failureAt(name, null, null, result.message)] }),
        )
        this.#retryLater()
        return
      }
      this.#failures = 0
      await this.#status.reportLoaded(before, result, this.settings.watch && (await this.#open()).watch !== undefined)
      await records.answerReloads(requests, JSON.stringify(reportOf(result)))
    } catch (error) {
      if (signal.aborted) return
      // The lease expired, the store is unavailable, or an outcome is unknown. The next pass continues from the stored records.
      this.#records = undefined
      if (!(error instanceof LeaseLost)) this.context.notify({ source: name, what: 'failed', error: error as Error })
      this.#retryLater()
    } finally {
      clearTimeout(showing)
    }
  }

  /** The reload requests that the pass about to start answers. Later requests wait for the next pass. */
  async #collectRequests(): Promise<readonly ReloadRequest[]> {
    this.#waitingRequests.clear()
    const requests = await this.context.registry.history.sources.pendingReloads([this.settings.name])
    this.#debounce.reset()
    for (const { id } of requests) {
      this.#seenRequests.add(id)
      this.#waitingRequests.delete(id)
    }
    for (const id of this.#seenRequests) {
      if (this.#seenRequests.size <= MAX_SEEN_REQUESTS) break
      this.#seenRequests.delete(id)
    }
    if (this.#waitingRequests.size > 0) this.#debounce.flush()
    return requests
  }

  /** Returns an error if the source as a whole cannot be read. @throws if the registry fails */
  async #tryPass(before: SourceState, allowEmpty: boolean, signal: AbortSignal): Promise<PassResult | Error> {
    try {
      this.#records ??= await openLocationRecords(this.settings.name, this.context.registry.history)
      return await this.#runPass(this.#records, signal, false, allowEmpty, this.#status.progress(before))
    } catch (error) {
      if (
        signal.aborted ||
        error instanceof LeaseLost ||
        isTransient(error, ['UNAVAILABLE', 'TIMEOUT', 'OUTCOME_UNKNOWN'])
      )
        throw error
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #runPass(
    locationRecords: LocationRecords,
    signal: AbortSignal,
    dryRun: boolean,
    allowEmpty: boolean,
    progress: (locations: number, definitions: number) => void,
  ): Promise<PassResult> {
    const { registry, limits, leaseMs } = this.context
    const records = registry.history.sources
    const { name } = this.settings
    return syncPass({
      settings: { ...this.settings, allowEmpty: allowEmpty || this.settings.allowEmpty },
      registry,
      limits,
      dryRun,
      records,
      locationRecords,
      signal,
      progress,
      reader: await this.#open(),
      async aboutToWrite() {
        signal.throwIfAborted()
        if (!(await records.acquireLeases([name], leaseMs)).has(name)) throw new LeaseLost(name)
        await records.beginWrites(name)
      },
    })
  }

  #retryLater(): void {
    const timer = setTimeout(() => this.#debounce.flush(), retryDelay(this.#failures++))
    timer.unref()
  }
}

const NOTHING: ReloadReport = { created: 0, updated: 0, deleted: 0, failures: [], version: null }

function reportOf({ created, updated, deleted, failures, version }: PassResult): ReloadReport {
  return { created, updated, deleted, failures: failures.shown, version }
}

function retryDelay(failures: number): number {
  return Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
}
