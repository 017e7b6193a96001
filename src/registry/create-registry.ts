import { randomUUID } from 'node:crypto'
import { runAtOnce, type Steps } from '../core/algorithms/steps.js'
import type { CompileRegex } from '../core/criteria/compiled-regex.js'
import type { ExtractReferences } from '../core/dependency/reference.js'
import { sealContent } from '../core/entry/seal-content.js'
import { pathBetween } from '../core/history/version-tree.js'
import { SharedRead } from '../store/coalescing/shared-read.js'
import { inSlices } from '../store/coalescing/time-slices.js'
import type { Bus } from '../store/contract/exchange.js'
import type { History } from '../store/contract/history.js'
import type { CommitRequest } from '../store/contract/history-writer.js'
import { ALL_OPTIMIZATIONS, type OptimizationSwitches } from '../store/contract/optimizations.js'
import { sha256 } from '../store/planning/sha256.js'
import { EventBus } from './events/event-bus.js'
import { follow } from './following/follow.js'
import { followEntry } from './following/follow-entry.js'
import { LogPageCache } from './following/log-page-cache.js'
import { LOG_TAIL_OPTIONS, LogTail, type LogTailOptions, PROGRESS_MS } from './following/log-tail.js'
import { HeadCache } from './head-cache/head-cache.js'
import { EntryInstances } from './instances/entry-instances.js'
import { ClientParticipants } from './participants/client-participants.js'
import { combinedDirectory } from './participants/participant-directories.js'
import { cachedDeltas } from './reading/cached-deltas.js'
import { dependencyGraph } from './reading/dependency-graph.js'
import { createFinder } from './reading/finder.js'
import { resolveRevision } from './reading/resolve-revision.js'
import type { Registry } from './registry.js'
import { Transactions, type TransactionsOptions } from './transactions/transactions.js'
import { changesetWarnings } from './writing/changeset-warnings.js'
import { type ChangesetLimits, checkChangeset } from './writing/check-changeset.js'
import { checkTagName, checkWrite } from './writing/check-write.js'
import { CommitQueue } from './writing/commit-queue.js'
import {
  isEarlierChangesetDigest,
  isEarlierRevertDigest,
  isEarlierVersionDigest,
} from './writing/earlier-request-digest.js'
import { changesetRequestDigest, revertRequestDigest, versionRequestDigest } from './writing/request-digest.js'
import type { ApplyChangesetInput, ApplyVersionInput, RevertVersionInput, WriteContext } from './writing/write-input.js'

export interface RegistryLimits extends ChangesetLimits {
  /** Size of the meta and data of one entry, as UTF-8 JSON. */
  readonly entryBytes: number
}

export const REGISTRY_LIMITS: RegistryLimits = {
  /** @bound Default size of one entry's `meta` and `data`, as JSON. */
  entryBytes: 1024 * 1024,
  /** @bound Default number of operations in a changeset. */
  changesetOperations: 100_000,
  /** @bound Default size of a changeset's contents. */
  changesetBytes: 64 * 1024 * 1024,
}

/** @bound Nesting of an entry's content. JSON.stringify and jsonb give up at about 5,000 levels. */
const MAX_CONTENT_DEPTH = 1_000

export interface RegistryOptions {
  readonly history: History
  /** By default, the bus of the store. */
  readonly bus?: Bus
  readonly references: ExtractReferences
  readonly compileRegex: CompileRegex
  readonly limits?: RegistryLimits
  /**
   * Longest time in milliseconds for which a filtered stream may skip revisions without sending a batch. By default
   * 5,000.
   */
  readonly progressMs?: number
  readonly logTail?: LogTailOptions
  /** How transactions run, and participants besides the GraphQL clients of any gateway. */
  readonly transactions?: TransactionsOptions
  /** All are on by default; benchmarks and tests switch some off. */
  readonly optimizations?: OptimizationSwitches
}

/** Creates a registry over a store. Its `close` settles pending writes and leaves the store open. */
export function createRegistry(options: RegistryOptions): Registry {
  const { history, references, compileRegex, limits = REGISTRY_LIMITS, progressMs = PROGRESS_MS } = options
  const { optimizations = ALL_OPTIMIZATIONS } = options
  const rules = { sha256, maxDepth: MAX_CONTENT_DEPTH, maxEntryBytes: limits.entryBytes }
  const headCache = history.headReader === null ? null : new HeadCache(history.headReader)
  const head = () => (headCache === null ? history.head() : headCache.head())
  const finder = createFinder(
    history,
    head,
    headCache !== null && optimizations['head-page-cache'] ? (...page) => headCache.page(...page) : null,
  )
  const logTail = new LogTail(history, { ...LOG_TAIL_OPTIONS, ...options.logTail, progressMs })
  const commits = new CommitQueue(history)
  // A dry run changes nothing, so it does not wait for changesets that are being written.
  const dryRuns = new CommitQueue(history)
  const oldest = new SharedRead(() => history.oldestRevision())
  const pages = new LogPageCache(history, { cachesPages: optimizations['log-page-cache'] })
  const stopWatching = history.onConnectionLost(() => {
    for (const cache of [headCache, finder, pages]) cache?.clear()
  })
  const sources = {
    history,
    head,
    oldest: () => oldest.read(),
    logTail,
    pages,
    compileRegex,
    progressMs,
  }

  const commit = (request: CommitRequest, bytes: number) => (request.dryRun ? dryRuns : commits).commit(request, bytes)
  const clients = new ClientParticipants(history.exchange)
  const bus = new EventBus(options.bus ?? history.exchange)
  const instances = new EntryInstances(history.instances, rules)
  const others = options.transactions?.participants
  const transactions = new Transactions({
    bus,
    ...options.transactions,
    participants: others === undefined ? clients : combinedDirectory([others, clients]),
    journal: history.journal,
    references,
    commit,
  })

  return {
    history,
    bus,
    clients,
    instances,
    references,
    head,
    entriesAtHead: (ids) => (headCache === null ? history.entries(ids, 'head') : headCache.entries(ids)),
    entryAtHead(id, onResult, onError) {
      if (headCache !== null) headCache.entry(id, onResult, onError)
      else history.entries([id], 'head').then((found) => onResult(found.get(id) ?? null, null), onError)
    },
    isMarkedAtHead: (id, mark) => headCache?.isMarked(id, mark) ?? false,
    revisionAt: (at) => resolveRevision(history, at),
    findEntries: finder.findEntries,
    countEntries: finder.countEntries,
    finderCache: () => finder.cache,
    delta: cachedDeltas(history),
    dependencyGraph: (root, depth, direction, revision) =>
      dependencyGraph(history, references, root, depth, direction, revision),
    warningsOf: (outcome, signal) => changesetWarnings(outcome, history, references, signal),
    sealContent: (content) => sealContent(content, rules),
    path: async (from, to) => pathBetween(await history.lineage(from), await history.lineage(to)),

    async applyChangeset(input, context) {
      checkWrite(input, context)
      const checked = await inSlices(checkChangeset(input.operations, limits, rules))
      if ('tooLarge' in checked) return { type: 'refused', problems: [checked.tooLarge] }
      const { operations, problems, bytes } = checked
      const action = { type: 'changeset', operations, base: input.base ?? null, problems } as const
      const digest = hasKey(input) ? await inSlices(changesetRequestDigest(input)) : ''
      return transactions.write(
        { ...requestOf(input, context, digest, (stored) => isEarlierChangesetDigest(stored, input)), action },
        bytes,
      )
    },

    async applyVersion(input, context) {
      checkWrite(input, context)
      const action = { type: 'version', version: input.version, force: input.force === true } as const
      const earlier = (stored: string) => isEarlierVersionDigest(stored, input)
      return transactions.write(
        { ...requestOf(input, context, runAtOnce(versionRequestDigest(input)), earlier), action },
        0,
      )
    },

    async revertVersion(input, context) {
      checkWrite(input, context)
      const action = { type: 'revert', version: input.version, force: input.force === true } as const
      const earlier = (stored: string) => isEarlierRevertDigest(stored, input)
      return transactions.write(
        { ...requestOf(input, context, runAtOnce(revertRequestDigest(input)), earlier), action },
        0,
      )
    },

    async setTag({ name, version, movable, expectedVersion }, context) {
      checkTagName(name)
      checkWrite({}, context)
      return history.setTag({
        name,
        version,
        movable: movable ?? null,
        expectedVersion: expectedVersion ?? null,
        author: context.author,
      })
    },

    async deleteTag(name, force) {
      checkTagName(name)
      return history.deleteTag(name, force)
    },

    compact: (request) => history.compact(request),

    follow: (input) => follow(sources, input),
    followEntry: (id, signal, place) => followEntry(sources, id, signal, place),

    async close() {
      stopWatching()
      await Promise.all([transactions.close(), instances.close()])
      await Promise.all([commits.close(), dryRuns.close()])
    },
  }
}

function requestOf(
  input: ApplyChangesetInput | ApplyVersionInput | RevertVersionInput,
  { author }: WriteContext,
  digest: string,
  isEarlierDigest: (stored: string) => Steps<boolean>,
) {
  const { message, expectedHead, dryRun, idempotencyKey } = input
  return {
    id: randomUUID(),
    author,
    message: message ?? null,
    idempotency:
      idempotencyKey === null || idempotencyKey === undefined ? null : { key: idempotencyKey, digest, isEarlierDigest },
    expectedHead: expectedHead ?? null,
    dryRun: dryRun === true,
  }
}

function hasKey({ idempotencyKey }: ApplyChangesetInput): boolean {
  return idempotencyKey !== null && idempotencyKey !== undefined
}
