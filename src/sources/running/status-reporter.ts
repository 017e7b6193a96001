import { busEvent } from '../../core/events/bus-event.js'
import type { EventKindOf } from '../../core/events/event-kinds.js'
import type { Registry } from '../../registry/registry.js'
import type { SourceSettings } from '../contract/source-settings.js'
import { FailureList, failureAt } from '../forms/failure-list.js'
import type { PassResult } from '../sync/sync-pass.js'
import { readState, type SourceState, writeState } from './source-state.js'

/** What happens to a source, for a log. */
export interface SourceNotice {
  readonly source: string
  readonly what: 'loading' | 'loaded' | 'failed' | 'taken' | 'left' | 'unwatched'
  readonly error?: Error
  readonly locations?: number
  readonly definitions?: number
  readonly created?: number
  readonly updated?: number
  readonly deleted?: number
  readonly failures?: number
}

/** A load that takes longer tells how far it is. */
const PROGRESS_MS = 2_000

/** What is told of a source by the gateway that reads it: to clients on any gateway, on the bus and to the log. */
export class StatusReporter {
  #knownFailures = ''
  #shown: Promise<void> = Promise.resolve()

  constructor(
    private readonly settings: SourceSettings,
    private readonly world: { readonly registry: Registry; readonly tell: (news: SourceNotice) => void },
  ) {}

  /** Says how far a long load is, in the log and to clients. */
  progress(before: SourceState): (locations: number, definitions: number) => void {
    const { name } = this.settings
    let next = performance.now() + PROGRESS_MS
    return (locations, definitions) => {
      if (performance.now() < next) return
      next = performance.now() + PROGRESS_MS
      this.world.tell({ source: name, what: 'loading', locations, definitions })
      this.showLoading({ ...before, loaded: definitions, total: definitions + before.failed })
    }
  }

  /** One after the other, so that what is shown last is what was said last. */
  showLoading(state: SourceState): void {
    const text = writeState({ ...state, status: 'LOADING' })
    this.#shown = this.#shown
      .then(() => this.world.registry.history.sources.saveState(this.settings.name, text))
      .catch(() => {})
  }

  async #show(state: SourceState): Promise<void> {
    await this.#shown
    await this.world.registry.history.sources.saveState(this.settings.name, writeState(state))
  }

  async reportLoaded(
    before: SourceState,
    { created, updated, deleted, loaded, failures }: PassResult,
    isWatched: boolean,
  ): Promise<void> {
    const { name } = this.settings
    const failed = failures.definitions
    const state: SourceState = {
      ...before,
      status: isWatched ? 'WATCHING' : 'IDLE',
      total: loaded + failed,
      loaded,
      failed,
      reloadCount: before.reloadCount + 1,
      lastReload: new Date(),
      failures: failures.shown,
    }
    await this.#show(state)
    this.world.tell({ source: name, what: 'loaded', created, updated, deleted, failures: failed })
    this.#publish('source.reloaded', { created, updated, deleted, failed, error: null })
    this.#publishNew(failures)
  }

  async reportFailed(before: SourceState, error: Error): Promise<void> {
    const { name } = this.settings
    const failures = new FailureList()
    failures.add(failureAt(name, null, null, error.message))
    await this.#show({ ...before, status: 'FAILED', lastReload: new Date(), failures: failures.shown })
    this.world.tell({ source: name, what: 'failed', error })
    this.#publishNew(failures)
  }

  /** What failed the same way before is no news. */
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
    this.world.registry.bus.publish(busEvent(kind, { path: this.settings.name, at: new Date(), ...counts }))
  }

  async read(): Promise<SourceState> {
    const { name } = this.settings
    const text = (await this.world.registry.history.sources.states([name])).get(name)
    return { ...(text === undefined ? initialState(this.settings) : readState(text)), provider: this.settings.provider }
  }
}

/** Of a source that has never been looked at: some gateway is about to. */
export function initialState({ name, provider }: Pick<SourceSettings, 'name' | 'provider'>): SourceState {
  return {
    name,
    provider,
    status: 'LOADING',
    total: 0,
    loaded: 0,
    failed: 0,
    reloadCount: 0,
    lastReload: null,
    failures: [],
  }
}
