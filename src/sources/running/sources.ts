import type { EntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { waitAtMost } from '../../registry/async/within-deadline.js'
import type { Page, PageOf } from '../../store/contract/history-reader.js'
import { type ConfiguredSource, type RunnerContext, type SourcePlan, SourceRunner } from './source-runner.js'
import { type ReloadReport, readState, type SourceState } from './source-state.js'
import { initialState } from './status-reporter.js'

/** The configured sources as clients see them, independent of the gateway that reads them. */
export interface Sources {
  /** Ordered by name. */
  list(): Promise<readonly SourceState[]>
  /** One source, or null. */
  get(name: string): Promise<SourceState | null>
  /** Those of these sources that are configured, by name, in one read. */
  byName(names: readonly string[]): Promise<ReadonlyMap<string, SourceState>>
  /** Waits for a reload by the gateway that reads the source. `allowEmpty` allows it to delete everything. @throws RegistryError SOURCE_NOT_FOUND, UNAVAILABLE */
  reload(name: string, allowEmpty: boolean, signal: AbortSignal): Promise<ReloadReport>
  /** A dry run of `reload`. @throws RegistryError SOURCE_NOT_FOUND; Error if the source cannot be read */
  plan(name: string, allowEmpty: boolean, signal: AbortSignal): Promise<SourcePlan>
  /** Entries that the source owns, by id. */
  ownedPage(name: string, page: Page<EntryId>): Promise<PageOf<EntryId>>
  ownedCount(name: string): Promise<number>
}

/** Sources that are read between `start` and `close`. */
export interface RunningSources extends Sources {
  start(): void
  close(): Promise<void>
}

export interface SourcesOptions extends Omit<RunnerContext, 'leaseMs'> {
  readonly sources: readonly ConfiguredSource[]
  /** Called when all readers are closed. */
  readonly closeAfterwards?: () => Promise<void>
  readonly leaseMs?: number
}

/** @bound Lease of the gateway that reads a source. */
const SOURCE_LEASE_MS = 10_000
/** Interval of polling for a reload's report, in case a signal is lost. */
const POLL_MS = 1_000

/**
 * Creates the sources of a registry. If several gateways have the same configuration, one of them reads each source.
 */
export function createSources({
  sources,
  leaseMs = SOURCE_LEASE_MS,
  closeAfterwards,
  ...context
}: SourcesOptions): RunningSources {
  const records = context.registry.history.sources
  const runners = new Map(
    [...sources]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((source) => [source.name, new SourceRunner(source, { ...context, leaseMs })]),
  )
  const names = [...runners.keys()]
  const listeners = new Set<() => void>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let stopListening = () => {}
  let renewing: Promise<void> | undefined
  let again = false

  /** Acquires free leases, renews held ones, and reads reload requests. Runs one at a time, and again if called meanwhile. */
  function renewLeases(): void {
    again = true
    renewing ??= (async () => {
      while (again && !stopping.signal.aborted) {
        again = false
        // The store is unavailable. The next attempt retries, and no other gateway can claim the lease without the store.
        await renewOnce().catch(() => {})
      }
      renewing = undefined
    })()
  }

  async function renewOnce(): Promise<void> {
    const held = await records.acquireLeases(names, leaseMs)
    if (stopping.signal.aborted) return
    for (const [name, runner] of runners) {
      const term = held.get(name)
      if (term === undefined) void runner.release()
      else runner.claim(term)
    }
    const asked = await records.pendingReloads([...held.keys()])
    for (const { id, source } of asked) runners.get(source)?.requestReload(id)
  }

  function runnerOf(name: string): SourceRunner {
    const runner = runners.get(name)
    if (runner !== undefined) return runner
    throw new RegistryError(
      'SOURCE_NOT_FOUND',
      `There is no source "${name}". Configured sources: ${names.join(', ') || 'none'}`,
    )
  }

  async function states(wanted: readonly string[]): Promise<SourceState[]> {
    const found = wanted.length === 0 ? new Map<string, string>() : await records.states(wanted)
    return wanted.map((name) => {
      const empty = initialState(runners.get(name)!.settings)
      const text = found.get(name)
      return text === undefined ? empty : { ...readState(text), provider: empty.provider }
    })
  }

  /** Resolves when a report may have arrived. */
  async function nextSignal(signal: AbortSignal): Promise<void> {
    let listener = () => {}
    const signalled = new Promise<void>((resolve) => {
      listener = resolve
    })
    listeners.add(listener)
    await waitAtMost(POLL_MS, signalled, signal)
    listeners.delete(listener)
  }

  return {
    list: () => states(names),
    get: async (name) => (runners.has(name) ? (await states([name]))[0]! : null),
    byName: async (wanted) => {
      const found = await states(wanted.filter((name) => runners.has(name)))
      return new Map(found.map((state) => [state.name, state]))
    },
    async reload(name, allowEmpty, signal) {
      runnerOf(name)
      const until = AbortSignal.any([signal, stopping.signal])
      const request = await records.requestReload(name, allowEmpty)
      renewLeases()
      while (!until.aborted) {
        const report = await records.takeReloadReport(request)
        if (report !== null) return JSON.parse(report) as ReloadReport
        await nextSignal(until)
      }
      throw new RegistryError(
        'UNAVAILABLE',
        `The wait for the reload of ${name} has ended. The reload itself continues`,
      )
    },
    plan: (name, allowEmpty, signal) => runnerOf(name).plan(allowEmpty, AbortSignal.any([signal, stopping.signal])),
    ownedPage: (name, page) => records.ownedPage(name, page),
    ownedCount: (name) => records.ownedCount(name),

    start() {
      if (names.length === 0) return
      stopListening = records.onSignal(() => {
        renewLeases()
        for (const listener of listeners) listener()
      })
      timer = setInterval(renewLeases, leaseMs / 3)
      timer.unref()
      renewLeases()
    },
    async close() {
      stopping.abort()
      clearInterval(timer)
      stopListening()
      const held = [...runners.values()].filter(({ isHeld }) => isHeld).map(({ settings }) => settings.name)
      await Promise.all([...runners.values()].map((runner) => runner.close()))
      await renewing
      await closeAfterwards?.()
      if (held.length > 0) await records.releaseLeases(held).catch(() => {})
    },
  }
}
