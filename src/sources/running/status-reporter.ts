import { busEvent } from '../../core/events/bus-event.js'
import type { EventKindOf } from '../../core/events/event-kinds.js'
import type { Registry } from '../../registry/registry.js'
import type { SourceSettings } from '../contract/source-settings.js'
import { FailureList, failureAt } from '../forms/failure-list.js'
import type { PassResult } from '../sync/sync-pass.js'
import { readState, type SourceState, writeState } from './source-state.js'

/** Something that happened to a source, for the log. */
export interface SourceNotice {
  readonly source: string
  readonly what: 'loading' | 'loaded' | 'failed' | 'claimed' | 'released' | 'unwatched'
  readonly error?: Error
  readonly locations?: number
  readonly definitions?: number
  readonly created?: number
  readonly updated?: number
  readonly deleted?: number
  readonly failures?: number
}

/** Interval of progress reports of a long pass. */
const PROGRESS_MS = 2_000

/** Reports the status of a source: to clients of every gateway, on the bus and to the log. */
export class StatusReporter {
  #knownFailures = ''
  #shown: Promise<void> = Promise.resolve()

  constructor(
    private readonly settings: SourceSettings,
    private readonly context: { readonly registry: Registry; readonly notify: (news: SourceNotice) => void },
  ) {}

  /** Reports the progress of a long pass to the log and to clients. */
  progress(before: SourceState): (locations: number, definitions: number) => void {
    const { name } = this.settings
    let next = performance.now() + PROGRESS_MS
    return (locations, definitions) => {
      if (performance.now() < next) return
      next = performance.now() + PROGRESS_MS
      this.context.notify({ source: name, what: 'loading', locations, definitions })
      this.showLoading({ ...before, loaded: definitions, total: definitions + before.failed })
    }
  }

  /** Saves states one at a time, so that the last reported state is the last stored. */
  showLoading(state: SourceState): void {
    const text = writeState({ ...state, status: 'LOADING' })
    this.#shown = this.#shown
      .then(() => this.context.registry.history.sources.saveState(this.settings.name, text))
      .catch(() => {})
  }

  async #show(state: SourceState): Promise<void> {
    await this.#shown
    await this.context.registry.history.sources.saveState(this.settings.name, writeState(state))
  }

  async reportLoaded(
    before: SourceState,
    { created, updated, deleted, loaded, failures }: PassResult,
    isWatched: boolean,
  ): Promise<void> {
    const { name } = this.settings
    const failed = failures.definitions
    const isNew =
      created + updated + deleted > 0 ||
      before.reloadCount === 0 ||
      before.loaded !== loaded ||
      before.failed !== failed ||
      JSON.stringify(before.failures) !== JSON.stringify(failures.shown)
    const now = new Date()
    const state: SourceState = {
      ...before,
      status: isWatched ? 'WATCHING' : 'IDLE',
      total: loaded + failed,
      loaded,
      failed,
      reloadCount: before.reloadCount + (isNew ? 1 : 0),
      lastCheck: now,
      lastReload: isNew ? now : before.lastReload,
      failures: failures.shown,
    }
    await this.#show(state)
    // A polled source would otherwise fill the log and the bus.
    if (!isNew) return
    this.context.notify({ source: name, what: 'loaded', created, updated, deleted, failures: failed })
    this.#publish('source.reloaded', { created, updated, deleted, failed, error: null })
    this.#publishNew(failures)
  }

  async reportFailed(before: SourceState, error: Error): Promise<void> {
    const { name } = this.settings
    const failures = new FailureList()
    failures.add(failureAt(name, null, null, error.message))
    await this.#show({ ...before, status: 'FAILED', lastCheck: new Date(), failures: failures.shown })
    this.context.notify({ source: name, what: 'failed', error })
    this.#publishNew(failures)
  }

  /** Publishes failures only if they differ from the previous pass. */
  #publishNew(failures: FailureList): void {
    const known = JSON.stringify([failures.definitions, failures.shown])
    if (known === this.#knownFailures) return
    this.#knownFailures = known
    const [first] = failures.shown
    if (first === undefined) return
    const error = first.file === this.settings.name ? first.message : `${first.file}: ${first.message}`
    this.#publish('source.failed', { created: null, updated: null, deleted: null, failed: failures.definitions, error })
  }

  #publish(
    kind: EventKindOf<'source'>,
    counts: {
      created: number | null
      updated: number | null
      deleted: number | null
      failed: number
      error: string | null
    },
  ): void {
    this.context.registry.bus.publish(busEvent(kind, { path: this.settings.name, at: new Date(), ...counts }))
  }

  async read(): Promise<SourceState> {
    const { name } = this.settings
    const text = (await this.context.registry.history.sources.states([name])).get(name)
    return { ...(text === undefined ? initialState(this.settings) : readState(text)), provider: this.settings.provider }
  }
}

/** The state of a source before its first pass. */
export function initialState({ name, provider }: Pick<SourceSettings, 'name' | 'provider'>): SourceState {
  return {
    name,
    provider,
    status: 'LOADING',
    total: 0,
    loaded: 0,
    failed: 0,
    reloadCount: 0,
    lastCheck: null,
    lastReload: null,
    failures: [],
  }
}
