import type { EntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { waitAtMost } from '../../registry/async/within-deadline.js'
import type { Page, PageOf } from '../../store/contract/history-reader.js'
import { type ConfiguredSource, type RunnerContext, type SourcePlan, SourceRunner } from './source-runner.js'
import { type ReloadReport, readState, type SourceState } from './source-state.js'
import { initialState } from './status-reporter.js'

/** The configured sources as clients see them, whichever gateway reads them. */
export interface Sources {
  /** By name. */
  list(): Promise<readonly SourceState[]>
  /** Null where there is none of this name. */
  get(name: string): Promise<SourceState | null>
  /** Has it loaded anew by the gateway that reads it, and waits. @throws RegistryError SOURCE_NOT_FOUND, UNAVAILABLE */
  reload(name: string, signal: AbortSignal): Promise<ReloadReport>
  /** What `reload` would change. @throws RegistryError SOURCE_NOT_FOUND; Error where the source cannot be read */
  plan(name: string, signal: AbortSignal): Promise<SourcePlan>
  /** Entries that it owns, by id. */
  ownedPage(name: string, page: Page<EntryId>): Promise<PageOf<EntryId>>
  ownedCount(name: string): Promise<number>
}

/** They are read from the call of `start` to that of `close`. */
export interface RunningSources extends Sources {
  start(): void
  close(): Promise<void>
}

export interface SourcesOptions extends Omit<RunnerContext, 'leaseMs'> {
  readonly sources: readonly ConfiguredSource[]
  /** Closed when nothing reads any more. */
  readonly closeAfterwards?: () => Promise<void>
  readonly leaseMs?: number
}

/** @bound Lease of the gateway that reads a source. */
const SOURCE_LEASE_MS = 10_000
/** An answer is looked for that often, besides when one may have come. */
const ANSWER_MS = 1_000

/** Puts the sources together over a registry. Of several gateways with the same configuration one reads each source. */
export function createSources({
  sources,
  leaseMs = SOURCE_LEASE_MS,
  closeAfterwards,
  ...world
}: SourcesOptions): RunningSources {
  const records = world.registry.history.sources
  const runners = new Map(
    [...sources]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((source) => [source.name, new SourceRunner(source, { ...world, leaseMs })]),
  )
  const names = [...runners.keys()]
  const calls = new Set<() => void>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let stopListening = () => {}
  let looking: Promise<void> | undefined
  let again = false

  /** Takes what nobody reads, keeps what it has, and hears what is asked. One at a time, once more where it was called meanwhile. */
  function look(): void {
    again = true
    looking ??= (async () => {
      while (again && !stopping.signal.aborted) {
        again = false
        // The store is away: the next look tries again, and who would take over needs the store too.
        await lookOnce().catch(() => {})
      }
      looking = undefined
    })()
  }

  async function lookOnce(): Promise<void> {
    const held = await records.acquireLeases(names, leaseMs)
    if (stopping.signal.aborted) return
    for (const [name, runner] of runners) {
      const term = held.get(name)
      if (term === undefined) void runner.leave()
      else runner.take(term)
    }
    const asked = await records.pendingReloads([...held.keys()])
    for (const { id, source } of asked) runners.get(source)?.hurry(id)
  }

  function runnerOf(name: string): SourceRunner {
    const runner = runners.get(name)
    if (runner !== undefined) return runner
    throw new RegistryError(
      'SOURCE_NOT_FOUND',
      `there is no source "${name}"; configured are: ${names.join(', ') || 'none'}`,
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

  /** Until something may have been answered. */
  async function called(signal: AbortSignal): Promise<void> {
    let call = () => {}
    const heard = new Promise<void>((resolve) => {
      call = resolve
    })
    calls.add(call)
    await waitAtMost(ANSWER_MS, heard, signal)
    calls.delete(call)
  }

  return {
    list: () => states(names),
    get: async (name) => (runners.has(name) ? (await states([name]))[0]! : null),
    async reload(name, signal) {
      runnerOf(name)
      const until = AbortSignal.any([signal, stopping.signal])
      const request = await records.requestReload(name)
      look()
      while (!until.aborted) {
        const report = await records.takeReloadReport(request)
        if (report !== null) return JSON.parse(report) as ReloadReport
        await called(until)
      }
      throw new RegistryError('UNAVAILABLE', `nobody waits for the source ${name} any more; it is loaded all the same`)
    },
    plan: (name, signal) => runnerOf(name).plan(AbortSignal.any([signal, stopping.signal])),
    ownedPage: (name, page) => records.ownedPage(name, page),
    ownedCount: (name) => records.ownedCount(name),

    start() {
      if (names.length === 0) return
      stopListening = records.onSignal(() => {
        look()
        for (const call of calls) call()
      })
      timer = setInterval(look, leaseMs / 3)
      timer.unref()
      look()
    },
    async close() {
      stopping.abort()
      clearInterval(timer)
      stopListening()
      const held = [...runners.values()].filter(({ isHeld }) => isHeld).map(({ settings }) => settings.name)
      await Promise.all([...runners.values()].map((runner) => runner.close()))
      await looking
      await closeAfterwards?.()
      if (held.length > 0) await records.releaseLeases(held).catch(() => {})
    },
  }
}
