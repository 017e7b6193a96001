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
  /** Opens what reads it; called again where it could not be opened. */
  readonly open: () => SourceReader | Promise<SourceReader>
}

export interface RunnerContext {
  readonly registry: Registry
  readonly limits: WriteLimits
  readonly tell: (news: SourceNotice) => void
  readonly leaseMs: number
}

/** A source as a whole that cannot be read is tried again after so long, at first and at most. */
const RETRY_MS = { first: 1_000, longest: 60_000 } as const
/** A look that takes longer is shown as one: most find in no time that nothing has changed. */
const SHOWN_AFTER_MS = 300
/** Requests that are remembered as heard. */
const REMEMBERED = 1_000

/** What a dry run would change. */
export interface SourcePlan extends ReloadReport {
  readonly delta: readonly Operation[]
}

/**
 * One source at one gateway. While this gateway holds it, it is watched and brought into the registry, one look after the
 * other; a dry run goes between them.
 */
export class SourceRunner {
  readonly #debounce = new Debounce()
  #term = 0
  #reader: Promise<SourceReader> | undefined
  #book: LocationRecords | undefined
  #holding: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined
  /** Looks go one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #failures = 0
  readonly #status: StatusReporter
  /** Requests that a look has taken on, the oldest first; and those that wait for the next one. */
  readonly #heard = new Set<string>()
  readonly #waiting = new Set<string>()

  constructor(
    readonly settings: ConfiguredSource,
    private readonly world: RunnerContext,
  ) {
    this.#status = new StatusReporter(settings, world)
  }

  get isHeld(): boolean {
    return this.#holding !== undefined
  }

  /** This gateway reads it from now on, or goes on to. In another term others may have recorded what is not known here. */
  take(term: number): void {
    if (term !== this.#term) this.#book = undefined
    this.#term = term
    if (this.#holding !== undefined) return
    const stop = new AbortController()
    this.world.tell({ source: this.settings.name, what: 'taken' })
    this.#book = undefined
    this.#debounce.hurry()
    this.#holding = { stop, ended: this.#run(stop.signal) }
  }

  /** Another one may read it from now on; resolves when nothing of it is under way here. */
  async leave(): Promise<void> {
    const holding = this.#holding
    if (holding === undefined) return
    this.#holding = undefined
    holding.stop.abort(new LeaseLost(this.settings.name))
    await holding.ended
    this.world.tell({ source: this.settings.name, what: 'left' })
  }

  /** Somebody has asked for it to be loaded anew. What a look has taken on already is seen here until it is answered. */
  hurry(request: string): void {
    if (this.#heard.has(request)) return
    this.#waiting.add(request)
    this.#debounce.hurry()
  }

  /** What loading it anew would change; participants are asked. Any gateway may say. */
  plan(signal: AbortSignal): Promise<SourcePlan> {
    return this.#inTurn(async () => {
      const book = await LocationRecords.open(this.settings.name, this.world.registry.history.sources)
      const result = await this.#look(book, signal, true, () => {})
      return { ...reportOf(result), delta: result.delta }
    })
  }

  async close(): Promise<void> {
    await this.leave()
    await this.#turn.catch(() => {})
    await (await this.#reader?.catch(() => undefined))?.close()
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.catch(() => {}).then(work)
    this.#turn = result
    return result
  }

  async #run(signal: AbortSignal): Promise<void> {
    const watching = this.settings.watch ? this.#watch(signal) : Promise.resolve()
    while (!signal.aborted) {
      await this.#debounce.due(signal)
      if (signal.aborted) break
      await this.#inTurn(() => this.#load(signal))
    }
    await watching
  }

  async #watch(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const reader = await this.#open()
        if (reader.watch === undefined) return
        await reader.watch(() => this.#debounce.touch(), signal)
        // It may have resolved as soon as it watches: then it says what changes from now on.
        if (!signal.aborted) this.#debounce.touch()
        return
      } catch (error) {
        if (signal.aborted) return
        this.world.tell({ source: this.settings.name, what: 'unwatched', error: error as Error })
        await pause(backOff(failures), signal)
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

  /** One look, and all that clients are told of it. Never throws. */
  async #load(signal: AbortSignal): Promise<void> {
    const { name } = this.settings
    const records = this.world.registry.history.sources
    let showing: NodeJS.Timeout | undefined
    try {
      const requests = await this.#takeRequests()
      const before = await this.#status.read()
      const show = () => this.#status.showLoading(before)
      if (before.reloadCount === 0) show()
      else showing = setTimeout(show, SHOWN_AFTER_MS)
      const result = await this.#tryLook(before, signal)
      clearTimeout(showing)
      if (result instanceof Error) {
        await this.#status.reportFailed(before, result)
        await records.answerReloads(
          requests,
          JSON.stringify({ ...NOTHING, failures: [failureAt(name, null, null, result.message)] }),
        )
        this.#tryLater()
        return
      }
      this.#failures = 0
      await this.#status.reportLoaded(before, result, this.settings.watch && (await this.#open()).watch !== undefined)
      await records.answerReloads(requests, JSON.stringify(reportOf(result)))
    } catch (error) {
      if (signal.aborted) return
      // The lease has run out, the store is away, or an outcome is not known: all that was recorded stands, the next look goes on from there.
      this.#book = undefined
      if (!(error instanceof LeaseLost)) this.world.tell({ source: name, what: 'failed', error: error as Error })
      this.#tryLater()
    } finally {
      clearTimeout(showing)
    }
  }

  /** What is asked by now: the look that begins answers it, and who asked later waits for the next one. */
  async #takeRequests(): Promise<readonly ReloadRequest[]> {
    this.#waiting.clear()
    const requests = await this.world.registry.history.sources.pendingReloads([this.settings.name])
    this.#debounce.calm()
    for (const { id } of requests) {
      this.#heard.add(id)
      this.#waiting.delete(id)
    }
    for (const id of this.#heard) {
      if (this.#heard.size <= REMEMBERED) break
      this.#heard.delete(id)
    }
    if (this.#waiting.size > 0) this.#debounce.hurry()
    return requests
  }

  /** An error where the source as a whole cannot be read. @throws where it is the registry that fails */
  async #tryLook(before: SourceState, signal: AbortSignal): Promise<PassResult | Error> {
    try {
      this.#book ??= await openLocationRecords(this.settings.name, this.world.registry.history)
      return await this.#look(this.#book, signal, false, this.#status.progress(before))
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

  async #look(
    book: LocationRecords,
    signal: AbortSignal,
    dryRun: boolean,
    progress: (locations: number, definitions: number) => void,
  ): Promise<PassResult> {
    const { registry, limits, leaseMs } = this.world
    const records = registry.history.sources
    const { name } = this.settings
    return syncPass({
      settings: this.settings,
      registry,
      limits,
      dryRun,
      records,
      book,
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

  #tryLater(): void {
    const timer = setTimeout(() => this.#debounce.hurry(), backOff(this.#failures++))
    timer.unref()
  }
}

const NOTHING: ReloadReport = { created: 0, updated: 0, deleted: 0, failures: [], version: null }

function reportOf({ created, updated, deleted, failures, version }: PassResult): ReloadReport {
  return { created, updated, deleted, failures: failures.shown, version }
}

function backOff(failures: number): number {
  return Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
}
