import { randomUUID } from 'node:crypto'
import { sortInSteps } from '../../core/algorithms/sort-in-steps.js'
import { flatMapInSteps } from '../../core/algorithms/steps.js'
import { compileMatcher } from '../../core/criteria/matcher.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { type EntryId, namespaceOf } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Change } from '../../core/history/change.js'
import { operationsBetween } from '../../core/history/delta.js'
import { inSlices, pauseIfDue } from '../coalescing/time-slices.js'
import type { History, HistoryOptions } from '../contract/history.js'
import { entryRevisionKey, type Page, type PageOf, type ReadAt } from '../contract/history-reader.js'
import type { CommitAnswer } from '../contract/history-writer.js'
import { byPosition, entryOfRow } from '../planning/change-row.js'
import { historyMissingError, versionCompactedError } from '../planning/compacted-errors.js'
import { rootVersionRow } from '../planning/plan-changeset.js'
import { verifyHistory } from '../verify/verify-history.js'
import { COMPARE_ENTRIES } from './compare-entries.js'
import { mapOf } from './map-of.js'
import { MemoryCommitter } from './memory-committer.js'
import { MemoryCompaction } from './memory-compaction.js'
import { openMemoryExchange } from './memory-exchange.js'
import { openMemoryInstances, steadyClock } from './memory-instances.js'
import { openMemoryJournal } from './memory-journal.js'
import { MemoryLog } from './memory-log.js'
import { openMemorySourceRecords } from './memory-source-records.js'
import { memoryStoredHistory } from './memory-stored-history.js'
import { MemoryTags } from './memory-tags.js'
import { pageOf } from './page-of.js'
import { readMemoryLog } from './read-memory-log.js'
import { readMemoryReferences } from './read-memory-references.js'

/**
 * Opens a registry in the memory of this process, which is lost at exit. With `hasHistory: false` it is the backend
 * `none`: only the state at the head can be read.
 * @param clock - the time for instances, in milliseconds
 */
export function openMemoryHistory(options: HistoryOptions, { hasHistory = true, clock = steadyClock } = {}): History {
  const registryId = randomUUID()
  let queue: Promise<unknown> = Promise.resolve()
  const createdAt = new Date()
  const log = new MemoryLog(rootVersionRow(createdAt))
  const listeners = new Set<() => void>()
  const exchange = openMemoryExchange()
  const journal = openMemoryJournal((id) => committer.revisionOf(id))
  const tags = new MemoryTags()
  const { instances, use } = openMemoryInstances((id) => log.entry(id, 'head') !== null, clock)
  const sources = openMemorySourceRecords({
    revision: () => log.revision,
    isAtHead: (id) => log.entry(id, 'head') !== null,
    wasDeletedSince: (id, since) =>
      (log.rowsOf.get(id) ?? []).some(
        ({ revision, operation }) => revision > since && (operation === 'delete' || operation === 'replace'),
      ),
  })
  const compaction = new MemoryCompaction(log, stored, () => tags.lowest((number) => log.versions[number]!))
  const committer = new MemoryCommitter(log, compaction, use, options.references, createdAt, hasHistory)
  const { state: commitState } = committer
  const versionRow = (number: number) => log.versions[number]

  /** Runs what must not happen while a changeset is being planned, which may pause. */
  function serially<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = queue.then(work)
    queue = done.catch(() => undefined)
    return done
  }

  /**
   * Checks that a state can be read. Without history, that is only the state at the head. A state below the baseline
   * cannot be read.
   */
  function at(readAt: ReadAt): ReadAt {
    if (hasHistory && readAt !== 'head') compaction.check(readAt)
    if (hasHistory || readAt === 'head' || readAt === commitState.head.revision) return readAt
    return refuse(`Revision ${readAt} cannot be read`)
  }

  /** Returns the matching entries and their revision. Matching may pause, so the state is read before. */
  async function find(
    criteria: Parameters<History['findEntries']>[0],
    readAt: ReadAt,
  ): Promise<{ readonly found: readonly EntryRevision[]; readonly revision: number }> {
    const matches = compileMatcher(criteria, options.compileRegex)
    const revision = readAt === 'head' ? commitState.head.revision : readAt
    const entries = [...log.state(at(readAt))]
    const found: EntryRevision[] = []
    for (const entry of entries) {
      if (matches(entry)) found.push(entry)
      // Matching one entry may take long: a regular expression over a megabyte.
      const pause = pauseIfDue()
      if (pause !== undefined) await pause
    }
    return { found, revision }
  }

  function historyOf(id: EntryId): EntryRevision[] {
    const rows = hasHistory ? (log.rowsOf.get(id) ?? []) : [log.lastRow(id, 'head')].filter((row) => row !== undefined)
    return rows
      .map(entryOfRow)
      .filter((entry) => entry !== null)
      .reverse()
  }

  const read: Omit<
    History,
    | 'commit'
    | 'instances'
    | 'setTag'
    | 'deleteTag'
    | 'compact'
    | 'onAdvance'
    | 'onConnectionLost'
    | 'verify'
    | 'isReady'
    | 'close'
  > = {
    backend: hasHistory ? 'memory' : 'none',
    journal,
    sources,
    exchange,
    registryId,
    hasHistory,
    headReader: null,
    head: async () => commitState.head,
    oldestRevision: async () => (hasHistory ? compaction.oldest : commitState.head.revision),
    entryCount: async (readAt) => countAt(at(readAt)),
    revisionAtTime: async (time) => log.transitions.findLast(({ createdAt }) => createdAt <= time)?.revision ?? 0,

    entries: async (ids, readAt) => {
      const place = at(readAt)
      return mapOf(ids, (id) => log.entry(id, place))
    },
    entryRevisions: async (keys) =>
      new Map(
        keys.flatMap((key) => {
          const row = log.rowsOf.get(key.id)?.find(({ revision }) => revision === key.revision)
          const entry =
            row === undefined || !(hasHistory || row === log.lastRow(key.id, 'head')) ? null : entryOfRow(row)
          return entry === null ? [] : [[entryRevisionKey(key), entry] as const]
        }),
      ),
    findEntries: async (criteria, order, page, readAt) => {
      const compare = COMPARE_ENTRIES[order]
      const { found, revision } = await find(criteria, readAt)
      return { ...pageOf(await inSlices(sortInSteps(found, compare)), page, compare), revision }
    },
    countEntries: async (criteria, readAt) => (await find(criteria, readAt)).found.length,
    namespaces: async (readAt) => {
      const counts = new Map<string, number>()
      for (const { id } of log.state(at(readAt))) counts.set(namespaceOf(id), (counts.get(namespaceOf(id)) ?? 0) + 1)
      return [...counts].map(([name, entryCount]) => ({ name, entryCount })).sort((a, b) => compareText(a.name, b.name))
    },

    entryHistories: async (ids, page) => new Map(ids.map((id) => [id, descendingPage(historyOf(id), page)])),
    entryHistoryCounts: async (ids) => new Map(ids.map((id) => [id, historyOf(id).length])),

    versions: async (numbers) => mapOf(numbers, (number) => versionRow(number) ?? null),
    versionPage: async (page) => pageOf(log.versions, page, ({ number }, position) => number - position),
    versionCount: async () => log.versions.length,
    children: async (numbers) =>
      new Map(numbers.map((number) => [number, log.versions.filter(({ parent }) => parent === number)])),
    lineage: async (version) => {
      if (versionRow(version) === undefined) throw versionNotFound(version, commitState.lastVersion)
      const lineage: number[] = []
      for (let at: number | null = version; at !== null; at = versionRow(at)!.parent) lineage.push(at)
      return lineage
    },

    transitions: async (revisions) => mapOf(revisions, (revision) => log.transitions[revision - 1] ?? null),
    transitionPage: async (page) => pageOf(log.transitions, page, ({ revision }, position) => revision - position),
    transitionCount: async () => log.transitions.length,

    changesOf: async (revisions, page) =>
      new Map(
        revisions
          .filter((revision) => committer.hasChanges(revision))
          .map((revision) => [
            revision,
            pageOf(log.changesAt(revision), page, (change, position) => change.position - position),
          ]),
      ),
    namespaceChanges: async (namespace, page) => {
      // The list is in descending order, so its positions are compared in reverse.
      return pageOf(changesIn(namespace), page, (change, position) => byPosition(position, change))
    },
    namespaceChangeCount: async (namespace) => changesIn(namespace).length,

    ...tags.reads,

    log: async (after, limit) => readMemoryLog(log, after, limit, commitState.head, committer.oldestLog),
    delta: async (from, to) => {
      const [start, end] = [at(from), at(to)]
      const pairs = await inSlices(
        flatMapInSteps(log.rowsOf.keys(), (id) => [
          { id, before: log.entry(id, start)?.content ?? null, after: log.entry(id, end)?.content ?? null },
        ]),
      )
      // The states may have been compacted during a pause.
      at(from)
      at(to)
      return inSlices(operationsBetween(pairs, options.references))
    },

    ...readMemoryReferences(log, options.references),
    changedSince: async (revision, limit) => {
      compaction.check(revision)
      const ids = new Set<EntryId>()
      let changes = 0
      for (let after = revision + 1; after <= log.revision; after++) {
        for (const { id } of log.rowsAt.get(after) ?? []) {
          if (++changes > limit) return null
          ids.add(id)
        }
      }
      return [...ids]
    },
  }

  /** The changes in a namespace, newest first. @throws RegistryError HISTORY_NOT_KEPT */
  function changesIn(namespace: string): Change[] {
    if (!hasHistory) return refuse('The history of a namespace cannot be read')
    return log.transitions
      .slice(Math.max(0, compaction.oldest - 1))
      .flatMap(({ revision }) => log.changesAt(revision).filter(({ id }) => namespaceOf(id) === namespace))
      .reverse()
  }

  function countAt(readAt: ReadAt): number {
    const revision = readAt === 'head' ? log.revision : readAt
    return revision === 0 ? 0 : log.transitions[revision - 1]!.entryCount
  }

  function stored() {
    return memoryStoredHistory(
      log,
      compaction,
      { ...commitState, tagSum: tags.sum, oldestRevision: compaction.oldest },
      tags.list(),
    )
  }

  return {
    ...read,
    instances: { ...instances, acquire: (request) => serially(() => instances.acquire(request)) },
    commit: (requests) =>
      serially(async () => {
        const outcomes: CommitAnswer[] = []
        for (const request of requests) {
          // If the clock was set back, a transition must not become older than the previous one.
          const now = new Date(Math.max(Date.now(), log.transitions.at(-1)?.createdAt.getTime() ?? 0))
          outcomes.push(await inSlices(committer.commit(request, now)))
        }
        for (const listener of listeners) listener()
        return outcomes
      }),
    setTag: async (request) => {
      if (!hasHistory) return refuse('A version cannot be tagged')
      const version = versionRow(request.version)
      if (version === undefined) throw versionNotFound(request.version, commitState.lastVersion)
      if (version.revision < compaction.oldest && version.number > 0)
        throw versionCompactedError(version.number, version.revision, compaction.oldest)
      return tags.set(request)
    },
    deleteTag: async (name, force) => tags.delete(name, force),
    compact: async (request) =>
      hasHistory ? serially(async () => compaction.compact(request)) : refuse('Nothing can be compacted'),
    onAdvance: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onConnectionLost: () => () => {},
    verify: async (progress) => (hasHistory ? verifyHistory(stored(), progress) : refuse('There is nothing to verify')),
    isReady: async () => true,
    async close() {
      listeners.clear()
      await exchange.close()
    },
  }

  function refuse(what: string): never {
    throw historyMissingError(what, log.revision)
  }
}

function versionNotFound(version: number, newest: number): RegistryError {
  return new RegistryError('VERSION_NOT_FOUND', `There is no version ${version}; the newest is ${newest}.`, {
    version,
  })
}

/** A page of a history, in descending order of revisions. Its positions are revisions. */
function descendingPage(items: readonly EntryRevision[], page: Page<number>): PageOf<EntryRevision> {
  return pageOf(items, page, ({ revision }, position) => position - revision)
}
